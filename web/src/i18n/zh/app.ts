import type { app as en } from "../en/app";

export const app: typeof en = {
  name: "Turnwise",
  close: "关闭",
  cancel: "取消",
  save: "保存",
  retry: "重试",
  undo: "撤销",
  more: "更多",
  copy: "复制",
  copied: "已复制",
  notCopied: "浏览器不允许复制",
  newSession: "新建会话",
  untitled: "新会话",
  lost: "服务器没有响应。您写的内容会保留，恢复后自动发送。",
  reconnect: "立即连接",
  failed: (reason) => `操作未成功：${reason}`,
  unreachable: "服务器没有响应",
};
