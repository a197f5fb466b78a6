export const panes = {
  pane: (number: number, count: number, title: string) => (count > 1 ? `Pane ${number} of ${count}: ${title}` : title),
  separator: "Resize the panes",
  switcher: "Panes",
  openSidebar: "Show the sessions",
  split: "New session to the side",
  closePane: "Close pane",
  full: (count: number) => `No more than ${count} panes fit. Close one first.`,
  unknownTitle: "Not found",
  missingTitle: "This session is not here",
  missing: (id: string) => `There is no session “${id}” for you. It may have been deleted, or belong to another project.`,
  findSession: "Find a session",
};
