import type { search as en } from "../en/search";

export const search: typeof en = {
  field: "搜索会话",
  clear: "清除搜索",
  results: "搜索结果",
  titles: "标题",
  messages: "消息",
  searching: "正在搜索…",
  found: (count) => `${count} 个结果`,
  nothing: (query) => `没有找到“${query}”`,
  advice: "所有词语都必须出现。可以减少词语，或只输入一个词的开头：三个字符就够。",
  failed: "搜索未成功，请稍后重试。",
  user: "您",
  assistant: "回答",
  system: "系统",
};
