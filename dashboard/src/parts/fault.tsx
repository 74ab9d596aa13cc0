import { Component, type ReactNode } from "react";
import { LetterBox } from "./letter.tsx";

/** Keeps the menu there when a page breaks. */
export class Fault extends Component<
  { readonly children: ReactNode },
  { readonly error: Error | undefined }
> {
  override state = { error: undefined };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <section className="page">
        <h1>This page broke</h1>
        <LetterBox error={error}>
          <p>
            <button type="button" className="button" onClick={() => location.reload()}>
              Load it again
            </button>
          </p>
        </LetterBox>
      </section>
    );
  }
}
