// Package pipeline carries CloudTrail records from a source to a sink and settles each delivery by what became of its
// records.
//
//	Source ──Receive──▶ Delivery ──Records──▶ Record ──Format──▶ Batch ──▶ Sink ──▶ Fates
//	   ▲                                                                      │
//	   └────────────── Settle: nil when every record is terminal ◀────────────┘── DeadLetters
//
// The promise: a delivery is removed from its source only when every record of every object it names is terminal, that
// is indexed, already there, filtered out by the user's own rule, or durably kept as a dead letter. Anything else hands it
// back, and because documents have ids that follow from the record alone, delivering again is harmless.
//
// One goroutine carries one delivery from receipt to settlement. What bounds how many are at work is the byte budget.
package pipeline
