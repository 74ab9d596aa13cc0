/** The name of the pipeline that all experiments are runs of. */
export const experimentPipeline = "flujo-eval";

/** The same of what comes after the first part of a large one, so that lists of experiments do not have it twice. */
export const partPipeline = "flujo-eval-part";

/** The name of the pipeline that all searches for something better are runs of. */
export const improvePipeline = "flujo-improve";
