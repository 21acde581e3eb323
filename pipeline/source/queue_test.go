package source

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/test/standin"
)

// waiting is a queue in memory whose long polls wait in the bubble's time.
type waiting struct {
	mu       sync.Mutex
	messages int // still to give
	err      error
	calls    []time.Time // of ReceiveMessage
	logs     *observer.ObservedLogs
}

func (w *waiting) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	w.mu.Lock()
	w.calls = append(w.calls, time.Now())
	n, err := min(w.messages, int(in.MaxNumberOfMessages)), w.err
	w.messages -= n
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if n == 0 {
		select {
		case <-time.After(time.Duration(in.WaitTimeSeconds) * time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	out := &sqs.ReceiveMessageOutput{}
	for i := range n {
		out.Messages = append(out.Messages, types.Message{
			MessageId: aws.String(strconv.Itoa(i)), ReceiptHandle: aws.String("h"), Body: aws.String(standin.Notice("b", "k", 1)),
		})
	}
	return out, nil
}

func (w *waiting) DeleteMessageBatch(_ context.Context, in *sqs.DeleteMessageBatchInput, _ ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error) {
	out := &sqs.DeleteMessageBatchOutput{}
	for _, e := range in.Entries {
		out.Successful = append(out.Successful, types.DeleteMessageBatchResultEntry{Id: e.Id})
	}
	return out, nil
}

func (w *waiting) ChangeMessageVisibilityBatch(_ context.Context, in *sqs.ChangeMessageVisibilityBatchInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityBatchOutput, error) {
	out := &sqs.ChangeMessageVisibilityBatchOutput{}
	for _, e := range in.Entries {
		out.Successful = append(out.Successful, types.ChangeMessageVisibilityBatchResultEntry{Id: e.Id})
	}
	return out, nil
}

func (w *waiting) receives() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.calls...)
}

// pulse is the longest that any loop was silent.
type pulse struct {
	mu      sync.Mutex
	longest time.Duration
	loops   atomic.Int32
}

func (p *pulse) watch(string) (tick, done func()) {
	p.loops.Add(1)
	last := time.Now()
	tick = func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.longest = max(p.longest, time.Since(last))
		last = time.Now()
	}
	return tick, func() { tick(); p.loops.Add(-1) }
}

func (p *pulse) silence() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.longest
}

// inBubble runs f with a started source on w; both end before the bubble does.
func inBubble(t *testing.T, w *waiting, f func(t *testing.T, s *SQS, p *pulse)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pulse{}
		m := NewMetrics(prometheus.NewRegistry())
		core, logs := observer.New(zapcore.InfoLevel)
		log := zap.New(core)
		w.logs = logs
		q := &queue{name: "q", visibility: time.Minute, api: w, metrics: m, watch: p.watch, log: log, buckets: newBreakers("q", 0, log, m)}
		q.wire()
		s := &SQS{queues: []*queue{q}, hand: make(chan *delivery), ended: make(chan struct{})}
		s.Start(t.Context())
		f(t, s, p)
		if err := s.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		if silent := p.silence(); silent > 2*time.Minute {
			t.Errorf("a loop was silent for %v, want two minutes at most", silent)
		}
		if n := p.loops.Load(); n != 0 {
			t.Errorf("%d loops not done", n)
		}
	})
}

func TestQueue_idle(t *testing.T) {
	w := &waiting{}
	inBubble(t, w, func(t *testing.T, _ *SQS, _ *pulse) {
		t.Helper()
		pass(time.Hour)
		if n := len(w.receives()); n < 180 || n > 181 {
			t.Errorf("%d receives in an hour without messages, want one every 20 s", n)
		}
	})
}

func TestQueue_nobodyReceives(t *testing.T) {
	w := &waiting{messages: 1000}
	inBubble(t, w, func(t *testing.T, _ *SQS, p *pulse) {
		t.Helper()
		pass(time.Hour)
		if n := len(w.receives()); n != maxLoops {
			t.Errorf("%d receives while nothing is handed out, want one of each of %d loops", n, maxLoops)
		}
		if silent := p.silence(); silent > time.Minute {
			t.Errorf("silent for %v: that nobody takes a message is no reason to be restarted", silent)
		}
	})
}

func TestQueue_growsAndShrinks(t *testing.T) {
	w := &waiting{messages: 1000}
	inBubble(t, w, func(t *testing.T, s *SQS, p *pulse) {
		t.Helper()
		for range 1000 {
			d, err := s.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Settle(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := p.loops.Load() - 1; n != maxLoops { // one is the heartbeat's
			t.Errorf("%d loops under load, want %d", n, maxLoops)
		}
		pass(time.Minute)
		if n := p.loops.Load() - 1; n != 1 {
			t.Errorf("%d loops when the queue is empty, want 1", n)
		}
	})
}

func TestQueue_backsOff(t *testing.T) {
	w := &waiting{err: errors.New("no such host")}
	inBubble(t, w, func(t *testing.T, s *SQS, _ *pulse) {
		t.Helper()
		pass(time.Hour)
		calls := w.receives()
		if len(calls) < 40 || len(calls) > 150 {
			t.Errorf("%d tries in an hour, want about one a minute", len(calls))
		}
		if first := calls[1].Sub(calls[0]); first > 2*time.Second {
			t.Errorf("the second try came after %v, want about a second", first)
		}
		if s.Ready() == nil {
			t.Error("ready while nothing can be received")
		}
		if lines := w.logs.FilterMessage("receiving failed, trying again").Len(); lines < 30 || lines > 61 {
			t.Errorf("%d log lines in an hour, want one a minute at most", lines)
		}
	})
}

func TestSQS_closeWithoutStart(t *testing.T) {
	s := &SQS{ended: make(chan struct{})}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestNew_noRegion(t *testing.T) {
	loader, err := awsconfig.Load(t.Context(), awsconfig.Config{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(Config{SQS: []QueueConfig{{QueueURL: "http://127.0.0.1:5000/1/q"}}}, Options{AWS: loader, Log: zap.NewNop()})
	if want := "sqs[0].queue_url: http://127.0.0.1:5000/1/q names no region: set aws.region or AWS_REGION"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
