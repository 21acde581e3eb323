package source_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/test/standin"
)

// deadQueue is an SQS with messages in the dead-letter queue of the queue "q".
func deadQueue(t *testing.T, messages int) (s *standin.SQS, r *source.Redrive, account *awsconfig.Loader) {
	t.Helper()
	s = standin.NewSQS()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.AddQueue("q", standin.QueueOptions{MaxReceive: 5, DeadLetter: "dead"})
	r = &source.Redrive{QueueURL: server.URL + s.AddQueue("dead", standin.QueueOptions{}), Rate: 500, Report: func(int64, int64) {}}
	for range messages {
		s.Send("dead", standin.Notice("b", "k", 1))
	}
	account, err := awsconfig.Load(t.Context(), awsconfig.Config{Region: home, EndpointURL: server.URL}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return s, r, account
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		noMoves bool
	}{{"the service moves", false}, {"the service cannot", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, r, account := deadQueue(t, 40)
			s.NoMoves = c.noMoves
			reports := 0
			r.Report = func(int64, int64) { reports++ }
			if err := r.Open(account); err != nil {
				t.Fatal(err)
			}
			moved, err := r.Run(t.Context())
			if err != nil || moved != 40 {
				t.Errorf("got %d, %v, want 40 moved", moved, err)
			}
			back, _ := s.Depth("q")
			left, inFlight := s.Depth("dead")
			if back != 40 || left+inFlight != 0 || reports == 0 {
				t.Errorf("%d messages are back, %d left, %d reports", back, left+inFlight, reports)
			}
		})
	}
}

func TestRedrive_interrupted(t *testing.T) {
	t.Parallel()
	for _, noMoves := range []bool{false, true} {
		s, r, account := deadQueue(t, 100)
		s.NoMoves = noMoves
		r.Rate = 10
		if err := r.Open(account); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r.Report = func(moved, _ int64) {
			if moved >= 5 {
				cancel()
			}
		}
		began := time.Now()
		moved, err := r.Run(ctx)
		cancel()
		most := 2 * int64(r.Rate) * int64(time.Since(began)/time.Second+1)
		if !errors.Is(err, context.Canceled) || moved < 5 || moved > most {
			t.Errorf("got %d, %v, want 5 to %d moved at 10 a second", moved, err, most)
		}
		back, _ := s.Depth("q")
		left, inFlight := s.Depth("dead")
		if back+left+inFlight < 100 || int64(back) > moved+1 {
			t.Errorf("%d messages are back, %d left, want all 100 somewhere", back, left+inFlight)
		}
	}
}

func TestRedrive_mistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(s *standin.SQS, r *source.Redrive)
		want   string
	}{
		{"no URL", func(_ *standin.SQS, r *source.Redrive) { r.QueueURL = "dead" }, "is no queue"},
		{"no rate", func(_ *standin.SQS, r *source.Redrive) { r.Rate = 0 }, "write 1 to 500"},
		{"too fast", func(_ *standin.SQS, r *source.Redrive) { r.Rate = 501 }, "write 1 to 500"},
		{"no such queue", func(_ *standin.SQS, r *source.Redrive) { r.QueueURL += "x" }, "there is no such queue"},
		{"forbidden", func(s *standin.SQS, _ *source.Redrive) {
			s.Fault = func(op string) *standin.SQSFault {
				if op == "StartMessageMoveTask" {
					return &standin.SQSFault{Status: 403, Code: "AccessDeniedException"}
				}
				return nil
			}
		}, "deploy/iam/replay-policy.json"},
		{"whose it is is not known", func(s *standin.SQS, _ *source.Redrive) {
			s.NoMoves = true
			s.AddQueue("q2", standin.QueueOptions{MaxReceive: 5, DeadLetter: "dead"})
		}, "name one with --to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, r, account := deadQueue(t, 1)
			c.change(s, r)
			err := r.Open(account)
			if err == nil {
				_, err = r.Run(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
