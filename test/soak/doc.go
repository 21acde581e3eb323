// Command soak lets one daemon run for hours under a mixed load and faults, and shows whether it grows. The load, the
// faults and the book of every event are those of the row soak of the ledger, which it starts; itself it only asks the
// daemon for its metrics.
//
//	go run ./test/soak                      # two hours
//	go run ./test/soak -for 20m -seed 11    # shorter, and again with the same faults
//
// It prints a line each ten minutes while it goes on; at the end how memory and goroutines changed with time, and the
// ledger's table, whose lost, doubled and deleted early have to be 0.
package main
