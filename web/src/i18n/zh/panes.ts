import type { panes as en } from "../en/panes";

export const panes: typeof en = {
  pane: (number, count, title) => (count > 1 ? `窗格 ${number}/${count}：${title}` : title),
  separator: "调整窗格大小",
  switcher: "窗格",
  openSidebar: "显示会话列表",
  split: "在旁边新建会话",
  closePane: "关闭窗格",
  full: (count) => `最多只能打开 ${count} 个窗格，请先关闭一个。`,
  noRoom: "没有空间再打开一个窗格。请先关闭一个，或放大窗口。",
  unknownTitle: "未找到",
  missingTitle: "找不到这个会话",
  missing: (id) => `您没有可以访问的会话“${id}”。它可能已被删除，或属于另一个项目。`,
  deletedTitle: "这个会话已删除",
  deleted: "目前还可以恢复。",
  restore: "恢复",
  findSession: "查找会话",
};
