package main

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/sinks"
	"github.com/trailship/trailship/sinks/bulk"
)

const setupHelp = `setup installs the index templates of the sink's cluster and brings the mapping of live indices up to date. It needs the
rights of the set-up role. A daemon whose role may do that itself needs no setup; one that may only write does, once before
its first start and after each upgrade. A template newer than this version's is left as it is.`

func newSetup() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:     "setup --config FILE",
		Short:   "Install the cluster's index templates",
		Long:    setupHelp,
		Example: "  trailship setup --config trailship-admin.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			log, err := newLogger(cfg.Log, zapcore.AddSync(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			account, err := awsconfig.Load(cmd.Context(), cfg.AWS, log)
			if err != nil {
				return err
			}
			sink, err := openSink(cfg, account, prometheus.NewRegistry(), log, nil)
			if err != nil {
				return err
			}
			defer closing(log, "sink", sink.Close)
			return worked(sink.Setup(cmd.Context()))
		},
	}
	configFlag(cmd, &file)
	return cmd
}

// openSink opens the configured sink and its dead letters. Its errors are mistakes of the configuration.
func openSink(
	cfg *config.Config, account *awsconfig.Loader, registry prometheus.Registerer, log *zap.Logger, pulse func(string) (tick, done func()),
) (*sinks.Opened, error) {
	index, err := pipeline.ParseIndexPattern(cfg.Output.Index)
	if err != nil {
		return nil, fmt.Errorf("output.index: %w", err)
	}
	sink, err := sinks.Open(cfg.Sinks, sinks.Options{
		Index:       index,
		DataStream:  cfg.Output.DataStream,
		Raw:         cfg.Output.Format == config.FormatRaw,
		DeadLetters: cfg.DeadLetter,
		Limits: bulk.Limits{
			Bytes: cfg.Limits.BulkBytes, Requests: cfg.Limits.BulkRequests, Parked: cfg.Limits.Memory / 4,
			Rate: bulk.Rate{Documents: cfg.Limits.Rate.Documents, Bytes: cfg.Limits.Rate.Bytes},
		},
		AWS:     func(region string) aws.Config { return account.Config(region, awsconfig.Role{}) },
		Log:     log.Named("sink"),
		Metrics: registry,
		Pulse:   pulse,
	})
	if err != nil {
		return nil, err // it names the key
	}
	return sink, nil
}
