export const isMac: boolean = typeof navigator !== "undefined" && /mac|iphone|ipad/i.test(navigator.platform);
