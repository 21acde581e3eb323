// Command hotpath measures what a record costs between the bytes of a log file and the bytes of a bulk request: inflate,
// read, encode, compress. Its yardstick is the floor, what the two compressions cost on the same bytes by themselves:
// inflating the same files and compressing exactly the documents that came out, in the same process, in turns.
//
//	go run ./test/hotpath                         # the table
//	go run ./test/hotpath -profile cpu.out        # and a CPU profile of the path alone, for go tool pprof
//	go run ./test/hotpath -with                   # what enrichment and filters add to the path, each part alone and together
//	go run ./test/hotpath -corpus DIR             # write the log files it measures with, and stop
//
// The log files are made from the sample records of test/samples, in random order from a fixed seed. What is different in
// every record of a real log is different here: eventID, requestID, time, access key, source address. So is what
// compression makes of them.
package main
