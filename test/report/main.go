// Command report reads what go test -json writes and prints what a person wants to read: a line for each package, then
// each skipped test with its reason, then each failed test with its output. It counts single tests: a test with subtests
// counts as its subtests. The counts go to a file for test/run.
//
//	go test -json ./... | report -counts counts.txt
//
// It exits with 1 when a test failed or none ran.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	counts := flag.String("counts", "", "write the numbers of passed, failed and skipped tests to this file")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *counts); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

// run reports on in to out and writes the counts to the file of that name, unless it is "".
func run(in io.Reader, out io.Writer, counts string) error {
	w := bufio.NewWriter(out)
	var r results
	if err := r.read(in, w); err != nil {
		return err
	}
	passed, failed, skipped := r.print(w)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if counts != "" {
		if err := os.WriteFile(counts, fmt.Appendf(nil, "%d %d %d\n", passed, failed, skipped), 0o600); err != nil {
			return fmt.Errorf("writing the counts: %w", err)
		}
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d failed", failed)
	case passed+skipped == 0:
		return errors.New("no test ran")
	}
	return nil
}
