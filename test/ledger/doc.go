// Command ledger plays faults against the real binary and keeps a ledger of every event. Each row of its table is one kind
// of trouble, with a stand-in for SQS, S3 and a cluster of its own in a process of its own, and with one or three daemons.
//
//	go run ./test/ledger                        # every row, in short form
//	go run ./test/ledger -rows kill,away        # some rows
//	go run ./test/ledger -rows random -seed 7 -for 1h
//	go run ./test/ledger -full                  # longer, with more events
//	go run ./test/ledger -list                  # what rows there are
//
//	ledger ──starts──▶ stand-in: queue, buckets, cluster, and the book of all events
//	   │                  ▲
//	   └──starts, kills──▶ trailship run, one or three
//
// A row passes when no event is lost, none is stored twice, no message was deleted before each of its events was stored or
// kept as a dead letter, the queue was empty within the row's bound after the last trouble, and the trouble did happen.
// Which faults there are, when and how likely, follows from the seed; which request meets one depends on timing.
package main
