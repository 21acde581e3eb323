// What an answer lacks, said where the answer stands: nothing is missing in silence.

import { visible } from "./text.js";

// said is the sentence about what an answer lacks, "" where it is whole.
export const said = (lacks) => (lacks ? `Not everything: ${lacks}.` : "");

// tell shows sentences in a place of their own, which is hidden while there is none.
export function tell(place, ...sentences) {
  const text = sentences.filter(Boolean).join(" ");
  place.hidden = !text;
  if (place.textContent !== text) place.replaceChildren(...visible(text));
}
