/** The wire's shapes by name. They are made from openapi.json: `npm run api`. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Session = Schemas["SessionView"];
export type SessionPage = Schemas["SessionPage"];
export type Message = Schemas["MessageView"];
export type Turn = Schemas["TurnView"];
export type TurnStatus = Schemas["TurnStatus"];
export type Answer = Schemas["Answer"];
export type Content = Schemas["Content"];
export type ToolCall = Schemas["ToolCall"];
export type Usage = Schemas["Usage"];
export type Timing = Schemas["Timing"];
export type Failure = Schemas["Failure"];
export type Config = Schemas["ConfigView"];
export type NewConfig = Schemas["NewConfigRequest"];
export type ConfigChange = Schemas["ConfigRequest"];
export type ConfigTest = Schemas["ConfigTest"];
export type Provider = Schemas["ProviderView"];
export type Hit = Schemas["HitView"];
export type ErrorDetail = Schemas["ErrorDetail"];
export type Part = Schemas["Part"];
