/** What keyboards differ in. */
export const isMac: boolean = typeof navigator !== "undefined" && /mac|iphone|ipad/i.test(navigator.platform);

/** A key that belongs to the input method: Safari reports the Enter that ends a composition as 229, after its end. */
export const composing = ({ isComposing, keyCode }: { isComposing: boolean; keyCode: number }): boolean => isComposing || keyCode === 229;
