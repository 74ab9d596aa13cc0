/** What we use of jstat, which brings no types. */
declare module "jstat" {
  const library: {
    readonly jStat: {
      readonly studentt: {
        inv(probability: number, degreesOfFreedom: number): number;
        cdf(value: number, degreesOfFreedom: number): number;
      };
      readonly beta: { inv(probability: number, alpha: number, beta: number): number };
      readonly normal: { inv(probability: number, mean: number, deviation: number): number };
    };
  };
  export default library;
}
