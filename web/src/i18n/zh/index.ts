import type { Words } from "..";
import { app } from "./app";
import { composer } from "./composer";
import { configs } from "./configs";
import { content } from "./content";
import { palette } from "./palette";
import { panes } from "./panes";
import { search } from "./search";
import { settings } from "./settings";
import { sidebar } from "./sidebar";
import { thread } from "./thread";

export const zh: Words = { app, composer, configs, content, palette, panes, search, settings, sidebar, thread };
