/** The page, or what asks for a key in its place. */
import { QueryClientProvider } from "@tanstack/react-query";
import { useLink } from "~/api/feed";
import { queries } from "~/configs/queries";
import { Panes } from "~/panes/Panes";
import { SignIn } from "~/settings/SignIn";
import { RenameDialog } from "~/sidebar/RenameDialog";
import { Sidebar } from "~/sidebar/Sidebar";
import { Toasts } from "~/ui/toasts";
import { Banner } from "./Banner";
import { Dialogs } from "./Dialogs";
import { useDocumentTitle } from "./useDocumentTitle";

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
  useDocumentTitle();
  if (refused) return <SignIn />;
  return (
    <div className="flex h-full flex-col">
      <Banner />
      <div className="flex min-h-0 flex-1">
        <Sidebar />
        <main className="min-w-0 flex-1">
          <Panes />
        </main>
      </div>
      <RenameDialog />
      <Dialogs />
    </div>
  );
}
