// Package ecs writes CloudTrail records as documents of the Elastic Common Schema, field for field as Elastic's AWS
// integration (package aws 8.5.1 to 8.8.0, data stream cloudtrail) does, so that its detection rules and dashboards work
// on them unmodified. An [Encoder] turns one record after another into lines of JSON; [Fields] is the mapping they need.
//
// It works on the views of a [cloudtrail.Record] in two steps. First it reads the record: what is wrong with it, and what
// more than one field asks for (read.go). Then it appends the document, object by object, splicing the record's own text
// wherever that is how the document says it too. Nothing is built in between and nothing is allocated for a record.
//
// # What differs from Elastic
//
// Nothing of a record is dropped: top-level members that Elastic has no field for, or whose kind is not the one their
// field takes, go to aws.cloudtrail.flattened.other under their own names, eventContext to aws.cloudtrail.event_context.
// Actors and targets are always there. Of the lists of related entities, where Elastic's code stops at the first value
// that is missing or known, all are taken. Lists that are sets are in the order of UTF-8.
//
// No value makes a cluster refuse the document, as far as that can be known beforehand. A keyword field gets an object or
// array as text. A time that is none, where a date belongs, is left out and said in error.message; event.kind is then
// pipeline_error, and event.original keeps the record. In objects for flattened fields a NUL in a key becomes U+FFFD, what
// is nested more than 20 deep becomes its text, and a leaf over [Config].LeafLimit is cut at a character, or left out where
// its path alone is too long; the string copy beside the object has all of it.
//
// A document from a log object whose key names another account than its recipientAccountId has the tag
// _account_mismatch: the notice that led to the object may be forged.
package ecs
