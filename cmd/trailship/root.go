package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

const rootHelp = `trailship ships AWS CloudTrail logs into Elasticsearch or OpenSearch: nothing lost, nothing doubled.

Exit codes:
  0    the work is done
  1    the work failed, or some records were refused
  2    the command line or the configuration is wrong
  128  and a signal's number: a second SIGINT (130) or SIGTERM (143) ended a run that was draining; nothing is lost`

const rootExample = `  trailship run --config trailship.yaml
  zcat logs/*.json.gz | trailship normalize | jq .event.action`

// newRoot builds the command tree. exit ends the process, for the second signal.
func newRoot(exit func(int)) *cobra.Command {
	root := &cobra.Command{
		Use:           "trailship",
		Short:         "Ship AWS CloudTrail logs into Elasticsearch or OpenSearch",
		Long:          rootHelp,
		Example:       rootExample,
		Args:          cobra.NoArgs,
		SilenceErrors: true, // main prints them
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.Help(); err != nil {
				return worked(err)
			}
			return fmt.Errorf("\nsay which command to run: %w", errNoCommand)
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nsee: %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(newRun(exit), newSetup(), newReplay(exit), newRetag(exit), newDemo(exit), newNormalize(), newEvents(), newServe(exit), newHealth(), newVersion())
	return root
}

var errNoCommand = errors.New("none was given")
