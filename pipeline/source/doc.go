// Package source takes CloudTrail's log objects from where they are announced. SQS receives notices from queues, reads the
// objects they name from S3, and deletes a message only when it is settled without an error.
//
//	queue ──receive loops──▶ notification ──rules──▶ delivery ──Records──▶ objects ──▶ cloudtrail.Reader
//	  ▲  ▲                     │ nothing to read: deleted                     S3, one client a region
//	  │  │                     │ unknown or foreign: left to the redrive policy
//	  │  └── heartbeat: keeps every held message invisible until it is settled
//	  └───── settle: deletes, or sets a delay that grows with the receive count
//
// What becomes of a message:
//
//	every object read to its end           deleted, after the pipeline has settled it
//	a test event, a notice of a deletion,  deleted at once: there is nothing to read
//	a digest, a marker, a key left out
//	a subscription confirmation            deleted with a warning; its URL is never called
//	a body of unknown form                 left to the redrive policy with a warning at each receive
//	a bucket that is not on the list       the same: it may be forged, or the list may be wrong, and then nothing is lost
//	an object gone or corrupt              two fresh tries, then a *pipeline.LostObject; the message goes on
//	an object refused, a sick service      the delivery fails and the message comes back later
package source
