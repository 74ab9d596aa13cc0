import { lazy, Suspense, useRef } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { Fault } from "../parts/fault.tsx";
import { RunsPage } from "../runs/page.tsx";
import { useFeed } from "../wire/feed.ts";
import { Connection } from "./connection.tsx";
import { Help, type HelpHandle } from "./help.tsx";
import { useKeys } from "./keys.ts";
import { places, Sidebar } from "./sidebar.tsx";
import { nextTheme } from "./theme.ts";

const RunPage = lazy(() => import("../run/page.tsx"));
const InboxPage = lazy(() => import("../inbox/page.tsx"));
const ComparePage = lazy(() => import("../compare/page.tsx"));
const PipelinesPage = lazy(() => import("../pipelines/page.tsx"));
const PipelinePage = lazy(() => import("../pipelines/pipeline-page.tsx"));
const ExperimentsPage = lazy(() => import("../experiments/page.tsx"));
const ExperimentPage = lazy(() => import("../experiments/experiment-page.tsx"));
const ExperimentComparePage = lazy(() => import("../experiments/compare-page.tsx"));
const StatsPage = lazy(() => import("../stats/page.tsx"));
const VersionsPage = lazy(() => import("../versions/page.tsx"));
const SchedulesPage = lazy(() => import("../schedules/page.tsx"));
const BudgetsPage = lazy(() => import("../budgets/page.tsx"));
const OutboxPage = lazy(() => import("../outbox/page.tsx"));

/** What is around every page, and which page stands in it. */
export function Frame() {
  const [, go] = useLocation();
  const help = useRef<HelpHandle>(null);
  useFeed();
  useKeys([
    ["?", () => help.current?.open()],
    ["t", nextTheme],
    ...places.map(({ href }, i) => [String(i + 1), () => go(href)] as const),
  ]);
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the page
      </a>
      <Sidebar onHelp={() => help.current?.open()} />
      <main id="content" className="content" tabIndex={-1}>
        <Connection />
        <Fault>
          <Suspense fallback={<p className="loading">Loading…</p>}>
            <Switch>
              <Route path="/">
                <Redirect to="/runs" replace />
              </Route>
              <Route path="/runs">
                <RunsPage />
              </Route>
              <Route path="/runs/:id">{({ id }) => <RunPage key={id} runId={id} />}</Route>
              <Route path="/inbox">
                <InboxPage />
              </Route>
              <Route path="/compare">
                <ComparePage />
              </Route>
              <Route path="/pipelines">
                <PipelinesPage />
              </Route>
              <Route path="/pipelines/:name">{({ name }) => <PipelinePage key={name} name={name} />}</Route>
              <Route path="/versions">
                <VersionsPage />
              </Route>
              <Route path="/experiments">
                <ExperimentsPage />
              </Route>
              <Route path="/experiments/:name">
                {({ name }) => <ExperimentPage key={name} name={name} />}
              </Route>
              <Route path="/experiments/:name/with/:base">
                {({ name, base }) => (
                  <ExperimentComparePage key={`${name} ${base}`} name={name} base={base} />
                )}
              </Route>
              <Route path="/stats">
                <StatsPage />
              </Route>
              <Route path="/schedules">
                <SchedulesPage />
              </Route>
              <Route path="/budgets">
                <BudgetsPage />
              </Route>
              <Route path="/outbox">
                <OutboxPage />
              </Route>
              <Route>
                <Nowhere />
              </Route>
            </Switch>
          </Suspense>
        </Fault>
      </main>
      <Help ref={help} />
    </div>
  );
}

const Nowhere = () => (
  <section className="page">
    <h1>There is no such page</h1>
    <p className="muted">The menu on the left leads to all there are.</p>
  </section>
);
