/** The page, or what asks for a key in its place. */
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { useLink } from "~/api/feed";
import { queries } from "~/configs/queries";
import { Panes } from "~/panes/Panes";
import { useRename } from "~/sidebar/rename";
import { Sidebar } from "~/sidebar/Sidebar";
import { Toasts } from "~/ui/toasts";
import { useEver } from "~/ui/useEver";
import { Banner } from "./Banner";
import { Dialogs } from "./Dialogs";
import { useDocumentTitle } from "./useDocumentTitle";

const SignIn = lazy(() => import("~/settings/SignIn").then(({ SignIn }) => ({ default: SignIn })));
const RenameDialog = lazy(() => import("~/sidebar/RenameDialog").then(({ RenameDialog }) => ({ default: RenameDialog })));

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Page />
      <Toasts />
    </QueryClientProvider>
  );
}

function Page() {
  const refused = useLink((link) => link.state === "refused");
  const renames = useEver(useRename(({ session }) => session !== null));
  useDocumentTitle();
  if (refused) {
    return (
      <Suspense>
        <SignIn />
      </Suspense>
    );
  }
  return (
    <div className="flex h-full flex-col">
      <Banner />
      <div className="flex min-h-0 flex-1">
        <Sidebar />
        <main className="min-w-0 flex-1">
          <Panes />
        </main>
      </div>
      <Suspense>{renames && <RenameDialog />}</Suspense>
      <Dialogs />
    </div>
  );
}
