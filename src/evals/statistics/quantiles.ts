/// <reference path="./jstat.d.ts" />
import jstat from "jstat";

const { jStat } = jstat;

/** Below this value a variable of Student's t distribution lies with a probability between 0 and 1. */
export const tQuantile = (probability: number, degreesOfFreedom: number): number =>
  jStat.studentt.inv(probability, degreesOfFreedom);

/** The same of the standard normal distribution. */
export const normalQuantile = (probability: number): number => jStat.normal.inv(probability, 0, 1);

/** The same of the beta distribution. */
export const betaQuantile = (probability: number, alpha: number, beta: number): number =>
  jStat.beta.inv(probability, alpha, beta);

/** How probable it is that a variable of Student's t distribution lies as far from 0 as this value, or further. */
export const tBeyond = (value: number, degreesOfFreedom: number): number =>
  Math.min(1, 2 * jStat.studentt.cdf(-Math.abs(value), degreesOfFreedom));
