// Command bench measures the real binary: throughput, CPU, memory, start and stop. It builds trailship, starts it against
// a stand-in for SQS, S3 and a cluster that runs in a process of its own on the same machine, and prints a table with the
// bound of each row.
//
//	go run ./test/bench                  # the rows of README and docs, a million records
//	go run ./test/bench -records 200000  # shorter
//	go run ./test/bench -short           # a look in well under a minute, too short to judge by
//	go run ./test/bench -rows life       # only some rows; -h lists them
//
// The log files are made from the sample records, each with an eventID of its own, before the clock starts.
package main
