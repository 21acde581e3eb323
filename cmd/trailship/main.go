// Command trailship ships AWS CloudTrail logs into Elasticsearch or OpenSearch. One file holds one command; run.go has the
// daemon's wiring, with a drawing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/trailship/trailship/config/value"
)

// The exit codes, as the root command's help says.
const (
	exitOK    = 0
	exitWork  = 1 // the work failed, or some records were refused
	exitUsage = 2 // the command line or the configuration is wrong
)

func main() {
	err := newRoot(os.Exit).ExecuteContext(context.Background())
	if err != nil && !errors.Is(err, errReported) {
		fmt.Fprintln(os.Stderr, value.Mask(err.Error()))
	}
	os.Exit(exitCode(err))
}

// workError is an error of the work itself, not of how the command was called. Cobra's own errors are all of the
// second kind, so that whatever is no workError exits with 2.
type workError struct{ error }

func (e workError) Unwrap() error { return e.error }

// errReported is the work's error when the lines that say so were already written.
var errReported = errors.New("already reported")

// worked marks an error as the work's own.
func worked(err error) error {
	if err == nil {
		return nil
	}
	return workError{err}
}

func exitCode(err error) int {
	var work workError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &work):
		return exitWork
	}
	return exitUsage
}
