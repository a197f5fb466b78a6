/** The sign of each command. */
import {
  Archive, ArchiveRestore, Boxes, Columns2, Command, Cpu, FileJson, FileText, Keyboard, Languages, Link, type LucideIcon, Megaphone, Monitor, Moon,
  PanelLeft, Pencil, Pin, PinOff, RefreshCw, Rows2, Search, Settings, Square, SquareArrowLeft, SquareArrowRight, SquarePen, Sun, Trash2, X,
} from "lucide-react";
import type { CommandId } from "./commands";

export const icons: Record<CommandId, LucideIcon> = {
  newSession: SquarePen,
  newBeside: Columns2,
  splitDown: Rows2,
  closePane: X,
  nextPane: SquareArrowRight,
  previousPane: SquareArrowLeft,
  broadcast: Megaphone,
  stop: Square,
  regenerate: RefreshCw,
  changeModel: Cpu,
  toggleSidebar: PanelLeft,
  searchSessions: Search,
  palette: Command,
  configs: Boxes,
  settings: Settings,
  shortcuts: Keyboard,
  themeLight: Sun,
  themeDark: Moon,
  themeSystem: Monitor,
  english: Languages,
  chinese: Languages,
  rename: Pencil,
  pin: Pin,
  unpin: PinOff,
  archive: Archive,
  unarchive: ArchiveRestore,
  exportMarkdown: FileText,
  exportJson: FileJson,
  copyLink: Link,
  remove: Trash2,
};
