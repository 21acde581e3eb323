// Asking the server. Each kind of question has one request under way at most: a newer one ends the older, and the server
// stops working on it.

const underWay = new Map();

// ask gets JSON. The error of a question that was given up is an AbortError; the text of others is for the reader.
export async function ask(kind, path) {
  giveUp(kind);
  const control = new AbortController();
  underWay.set(kind, control);
  try {
    const answer = await fetch(path, { signal: control.signal, headers: { Accept: "application/json" } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error);
    return body;
  } catch (error) {
    if (error instanceof TypeError) throw new Error("trailship does not answer; is it still running?");
    if (error instanceof SyntaxError) throw new Error("what answers is not trailship, or not this version of it: reload the page");
    throw error;
  } finally {
    if (underWay.get(kind) === control) underWay.delete(kind);
  }
}

export function giveUp(kind) {
  underWay.get(kind)?.abort();
  underWay.delete(kind);
}

export const givenUp = (error) => error.name === "AbortError";
