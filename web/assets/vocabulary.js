// The words of the server: what can be filtered by, and the questions. They are asked for once.

import { ask } from "./ask.js";

let words = { attributes: [], questions: [], store: "" };

// learn gets them; until then labels are the names themselves.
export async function learn() {
  words = await ask("vocabulary", "/api/vocabulary");
  return words;
}

export const attributes = () => words.attributes;
export const questions = () => words.questions;
export const attribute = (name) => words.attributes.find((a) => a.name === name);
export const label = (name) => attribute(name)?.label ?? name;

// shows is a value as it is shown: a few attributes have words for theirs.
export const shows = (name, value) => attribute(name)?.words?.find((w) => w.value === value)?.label ?? value;

// byPath is the attribute that a leaf of a record is filtered by, undefined where there is none.
const paths = [
  [/^eventName$/, "eventName"], [/^eventSource$/, "eventSource"], [/^eventID$/, "eventId"], [/^awsRegion$/, "region"],
  [/^sourceIPAddress$/, "sourceIp"], [/^userAgent$/, "userAgent"], [/^errorCode$/, "errorCode"], [/^recipientAccountId$/, "account"],
  [/^readOnly$/, "readOnly"], [/^userIdentity\.type$/, "identity"], [/^responseElements\..*accessKeyId$/i, "issued"],
  [/^userIdentity\.accessKeyId$/, "accessKey"], [/^eventType$/, "eventType"], [/^eventCategory$/, "category"], [/^requestID$/, "requestId"],
  [/^sharedEventID$/, "sharedEventId"], [/^userIdentity\.invokedBy$/, "invokedBy"], [/^userIdentity\..*\.mfaAuthenticated$/, "mfa"],
  [/^userIdentity\.(sessionContext\.sessionIssuer\.)?(arn|userName|principalId)$/, "user"],
];

export function byPath(path) {
  const name = paths.find(([pattern]) => pattern.test(path))?.[1];
  return name && attribute(name) ? name : undefined;
}
