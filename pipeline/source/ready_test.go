package source_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/trailship/trailship/test/standin"
)

func TestSQS_ready(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  standin.SQSFault
		advice string
	}{
		{"denied", standin.SQSFault{Status: 403, Code: "AccessDeniedException"}, "allow sqs:ReceiveMessage"},
		{"expired", standin.SQSFault{Status: 400, Code: "ExpiredTokenException"}, "renew them"},
		{"too many", standin.SQSFault{Status: 403, Code: "OverLimit"}, "look for other consumers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var down atomic.Bool
			down.Store(true)
			r.sqs.Fault = func(string) *standin.SQSFault {
				if down.Load() {
					return &c.fault
				}
				return nil
			}
			r.start(t)
			awaits(t, "the source to be unready", func() bool { return r.source.Ready() != nil })
			if got := r.source.Ready().Error(); !strings.Contains(got, c.advice) {
				t.Errorf("got %q, want it to say %q", got, c.advice)
			}
			down.Store(false)
			r.put("a", logFile("1"))
			settle(t, r.receive(t), nil)
			if err := r.source.Ready(); err != nil {
				t.Errorf("still unready: %v", err)
			}
			if r.logs.FilterMessage("receiving failed, trying again").Len() == 0 {
				t.Error("no warning")
			}
		})
	}
	t.Run("no such queue", func(t *testing.T) {
		t.Parallel()
		r := newRig(t)
		r.config.SQS[0].QueueURL = r.address + "/111122223333/typo"
		r.start(t)
		awaits(t, "the source to be unready", func() bool { return r.source.Ready() != nil })
		if got := r.source.Ready().Error(); !strings.Contains(got, "there is no such queue in eu-west-1: look at queue_url") {
			t.Errorf("got %q", got)
		}
	})
}
