/** Splits a stream of server-sent events, however it was cut. */
export interface ServerEvent {
  id: string;
  name: string;
  data: string;
}

export function splitter(emit: (event: ServerEvent) => void): (chunk: string) => void {
  let rest = "";
  let id = "";
  let name = "";
  let data: string[] = [];
  const line = (text: string) => {
    if (text === "") {
      if (data.length > 0) emit({ id, name: name || "message", data: data.join("\n") });
      name = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "id") id = value;
    else if (field === "event") name = value;
    else if (field === "data") data.push(value);
  };
  return (chunk) => {
    rest += chunk;
    let from = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", from)) {
      line(rest.slice(from, end).replace(/\r$/, ""));
      from = end + 1;
    }
    rest = rest.slice(from);
  };
}
