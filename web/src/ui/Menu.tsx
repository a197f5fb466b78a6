/** A menu under its trigger. */
import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";

export function Menu({ trigger, children, align = "end" }: { trigger: ReactNode; children: ReactNode; align?: "start" | "end" }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className="z-50 max-h-[min(24rem,var(--radix-dropdown-menu-content-available-height))] min-w-44 overflow-y-auto rounded-xl border border-line bg-raised p-1 shadow-float"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const row = "flex w-full cursor-pointer items-center gap-2 rounded-lg px-2.5 py-1.5 text-sm outline-none select-none [&_svg]:size-4 [&_svg]:shrink-0";

export function MenuItem({ danger, onSelect, disabled, children }: { danger?: boolean; onSelect: () => void; disabled?: boolean; children: ReactNode }) {
  return (
    <Radix.Item
      onSelect={onSelect}
      disabled={disabled ?? false}
      className={`${row} data-[disabled]:opacity-50 data-[highlighted]:bg-hover ${danger ? "text-danger" : "text-text [&_svg]:text-muted"}`}
    >
      {children}
    </Radix.Item>
  );
}

export const MenuLine = () => <Radix.Separator className="my-1 h-px bg-line" />;
export const MenuLabel = ({ children }: { children: ReactNode }) => <Radix.Label className="px-2.5 pt-1.5 pb-0.5 text-xs text-muted">{children}</Radix.Label>;
