package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/source"
)

// redrive moves the messages of a dead-letter queue back. The configuration is for its section aws only.
func redrive(ctx context.Context, f replayFlags, errs io.Writer) error {
	cfg := config.Default()
	if f.file != "" {
		var err error
		if cfg, err = config.Load(f.file); err != nil {
			return err
		}
	}
	log, err := newLogger(cfg.Log, zapcore.AddSync(errs))
	if err != nil {
		return err
	}
	account, err := awsconfig.Load(ctx, cfg.AWS, log)
	if err != nil {
		return err
	}
	r := &source.Redrive{QueueURL: f.queue, To: f.to, Rate: f.rate, Report: func(moved, total int64) {
		fmt.Fprintf(errs, "replay: %d of about %d messages moved\n", moved, total)
	}}
	if err := r.Open(account); err != nil {
		return fmt.Errorf("reading --queue and --rate: %w", err)
	}
	moved, err := r.Run(ctx)
	if errors.Is(err, context.Canceled) {
		err = fmt.Errorf("stopped after about %d messages, the others stay where they are: %w", moved, err)
	}
	return worked(err)
}
