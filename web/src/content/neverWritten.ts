/** Stands in for what would write markdown (`mdast-util-to-markdown` and its extensions): the page only reads it. */
export const defaultHandlers = {};
export const cjkFriendlyToMarkdown = () => ({});
export const cjkFriendlyGfmStrikethroughToMarkdown = () => ({});
