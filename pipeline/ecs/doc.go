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
// No top-level member is dropped: those that Elastic has no field for, or whose kind is not the one their field takes, go to
// aws.cloudtrail.flattened.other under their own names, eventContext to aws.cloudtrail.event_context. Inside userIdentity,
// tlsDetails and the other objects that are read member by member, what Elastic has no field for is left out as Elastic
// leaves it out; event.original has it when that is kept.
// Actors and targets are always there. Of the lists of related entities, where Elastic's code stops at the first value
// that is missing or known, all are taken. Lists that are sets are in the order of UTF-8.
//
// No value makes a cluster refuse the document, as far as that can be known beforehand. A keyword field gets an object or
// array as text. A time that is none, where a date belongs, is left out and said in error.message; event.kind is then
// pipeline_error, and event.original keeps the record. In objects for flattened fields (the string copy beside them has
// everything):
//
//	invalid UTF-8                   each bad byte is U+FFFD, as the reader gives it
//	lone surrogate (\ud800)         spliced as it stands; equal to U+FFFD in keys
//	a key twice                     its last value, at the first one's place in the text form
//	NUL in a key                    U+FFFD; left out where another key is then the same
//	more than 20 containers deep    text from there on
//	a leaf over Config.LeafLimit    cut at a character; a string of 1 MiB makes a text form that is kept alone
//	a path of more than 8,000 bytes left out
//	a number of 400 digits          as it stands; from 1,001 digits on a string: parsers of clusters refuse longer ones
//
// Members of resources that no field stands for move as they are; where an object field would refuse one (a blank, dotted
// or long key, deep nesting) all of resources goes to flattened.other too, and only arn, account_id and type stay.
//
// A document from a log object whose key names another account than its recipientAccountId has the tag
// _account_mismatch: the notice that led to the object may be forged.
package ecs
