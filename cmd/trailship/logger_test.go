package main

import (
	"bytes"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
)

func TestNewLogger(t *testing.T) {
	cases := []struct {
		cfg       config.Log
		has, lack string
	}{
		{config.Log{Level: "info", Format: "json"}, `"level":"info","time":"20`, "quiet"},
		{config.Log{Level: "debug", Format: "console"}, "quiet", `"level"`},
	}
	for _, c := range cases {
		t.Run(c.cfg.Format, func(t *testing.T) {
			var out bytes.Buffer
			log, err := newLogger(c.cfg, zapcore.AddSync(&out))
			if err != nil {
				t.Fatal(err)
			}
			log.Debug("quiet")
			log.Info("loud", zap.String("bucket", "b"))
			if got := out.String(); !strings.Contains(got, c.has) || strings.Contains(got, c.lack) {
				t.Errorf("got %s, want %s and no %s", got, c.has, c.lack)
			}
		})
	}
	if _, err := newLogger(config.Log{Level: "loud"}, zapcore.AddSync(&bytes.Buffer{})); err == nil {
		t.Error("a level that does not exist is taken")
	}
}

func TestNewLogger_sampled(t *testing.T) {
	var out bytes.Buffer
	log, err := newLogger(config.Default().Log, zapcore.AddSync(&out))
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		log.Warn("the same")
	}
	if got := bytes.Count(out.Bytes(), []byte("\n")); got > 1000 {
		t.Errorf("10,000 equal lines write %d, want far fewer", got)
	}
}

func TestLimitMemory(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "") // set, though to nothing: it wins
	before, err := limitMemory(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if before < 1<<40 {
		t.Errorf("GOMEMLIMIT is set and yet the limit is %s", before)
	}
}
