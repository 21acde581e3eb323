package main

import (
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
)

// newLogger writes to out as the configuration says. Of lines with the same message, 100 a second are written and then
// every hundredth, so that trouble with every message does not become trouble with the disk.
func newLogger(cfg config.Log, out zapcore.WriteSyncer) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(cfg.Level)
	if err != nil {
		return nil, fmt.Errorf("reading log.level: %w", err)
	}
	keys := zap.NewProductionEncoderConfig()
	keys.TimeKey = "time"
	keys.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	keys.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(keys)
	if cfg.Format == "console" {
		keys.EncodeTime = zapcore.TimeEncoderOfLayout(time.TimeOnly)
		encoder = zapcore.NewConsoleEncoder(keys)
	}
	core := zapcore.NewSamplerWithOptions(zapcore.NewCore(encoder, zapcore.Lock(out), level), time.Second, 100, 100)
	return zap.New(core), nil
}
