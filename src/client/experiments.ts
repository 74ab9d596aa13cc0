import type {
  CaseFilter,
  CasePage,
  ComparisonView,
  ExperimentFilter,
  ExperimentPage,
  ExperimentView,
  PairPage,
} from "./types.ts";
import type { Wire } from "./wire.ts";

/** The experiments of a server's store, as `flujo eval` makes them. Every method throws ClientError. */
export class Experiments {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** A page of experiments, the newest first. */
  list(filter: ExperimentFilter = {}): Promise<ExperimentPage> {
    return this.#wire.get("/experiments", { ...filter });
  }

  get(name: string): Promise<ExperimentView> {
    return this.#wire.get(at(name));
  }

  /** What it has tried, the worst first. */
  cases(name: string, filter: CaseFilter = {}): Promise<CasePage> {
    return this.#wire.get(`${at(name)}/cases`, { ...filter });
  }

  /** It beside an earlier one. `margin`: how much worse is still no worse, default 0.05. */
  compare(name: string, base: string, terms: { readonly margin?: number } = {}): Promise<ComparisonView> {
    return this.#wire.get(`${at(name)}/comparison`, { with: base, ...terms });
  }

  /** The cases of both, those first that have come to do worse. `changed`: only those whose scores differ. */
  pairs(
    name: string,
    base: string,
    filter: CaseFilter & { readonly changed?: boolean } = {},
  ): Promise<PairPage> {
    return this.#wire.get(`${at(name)}/comparison/cases`, { with: base, ...filter });
  }
}

const at = (name: string): string => `/experiments/${encodeURIComponent(name)}`;
