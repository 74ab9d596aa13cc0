/** The part of the parser that the tests use: it brings no types. */
declare module "parse-prometheus-text-format" {
  export interface Family {
    readonly name: string;
    readonly type: string;
    readonly metrics: readonly {
      readonly value?: string;
      readonly labels?: { readonly [label: string]: string };
    }[];
  }
  export default function parsePrometheusTextFormat(text: string): readonly Family[];
}
