// SPDX-License-Identifier: Apache-2.0
// A button with a short menu below it; arrow keys walk, Escape closes.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

export interface MenuItem {
  text: string;
  run(): void;
  hidden?: boolean;
}

export function Menu({ label, icon, text, items }: { label: string; icon?: IconName; text?: string; items: MenuItem[] }) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    list.current?.querySelector("button")?.focus();
    const away = (event: PointerEvent) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [open]);
  const walk = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      setOpen(false);
      box.current?.querySelector("button")?.focus();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const buttons = [...list.current!.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement) + (event.key === "ArrowDown" ? 1 : -1);
    buttons[(at + buttons.length) % buttons.length].focus();
  };
  return (
    <div class="menu" ref={box} onKeyDown={open ? walk : undefined}>
      <button type="button" class={text ? "button" : "icon-button"} aria-label={text ? undefined : label} title={label} aria-haspopup="menu" aria-expanded={open}
              onClick={() => setOpen(!open)}>
        {text}{icon && <Icon name={icon} />}
      </button>
      {open && (
        <div class="menu-list" role="menu" ref={list}>
          {items.filter((item) => !item.hidden).map((item) => (
            <button type="button" role="menuitem" onClick={() => { setOpen(false); item.run(); }}>{item.text}</button>
          ))}
        </div>
      )}
    </div>
  );
}
