/// <reference path="./jstat.d.ts" />
import jstat from "jstat";

const { jStat } = jstat;

/** Below this value a variable of Student's t distribution lies with a probability between 0 and 1. */
export const tQuantile = (probability: number, degreesOfFreedom: number): number =>
  jStat.studentt.inv(probability, degreesOfFreedom);

/** The same of the standard normal distribution. */
export const normalQuantile = (probability: number): number => jStat.normal.inv(probability, 0, 1);
