// First, so that the order of its layers holds for all other styles.
import "./app.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startFeed } from "./api/feed";
import { App } from "./app/App";
import { startShortcuts } from "./palette/shortcuts";
import { startList } from "./session/list";
import { startOutbox } from "./session/outbox";
import { startSeen } from "./session/seen";
import { startSessions } from "./session/store";
import { startSettings } from "./settings/store";
import { startWorkspace } from "./workspace/store";

startSettings();
startWorkspace();
startSessions();
startSeen();
startList();
startShortcuts();
startFeed();
startOutbox();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
