// Package enrich adds to documents what a CloudTrail record does not say itself: the IAM tags of the user or role behind
// it, the name of its account, the place and network of its source address, and what its user agent means.
//
// A Set is all of them, as one pipeline.Enricher. With warm caches it allocates nothing: every answer is kept as the
// fragment of the document that it becomes, and found again by a hash of what was asked for.
//
// Nothing here can fail a record. What cannot be found out in time is left out. For IAM, whose tags rules and people rely
// on, the document then has the tag _iam_unavailable, so that trailship retag finds it again.
package enrich
