package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/pipeline/source"
	"github.com/trailship/trailship/test/samples"
	"github.com/trailship/trailship/test/standin"
)

const (
	demoBucket = "demo-trail"
	demoQueue  = "demo-notices"
	demoRegion = "us-east-1"
)

// demoCloud is S3 and SQS inside of this process, on a loopback address, with the samples announced.
type demoCloud struct {
	queues   *standin.SQS
	messages int
	url      string // of both services
	queueURL string
	server   *http.Server
}

// newDemoCloud starts the services and puts the sample files into them.
func newDemoCloud(ctx context.Context) (*demoCloud, error) {
	c := &demoCloud{queues: standin.NewSQS()}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the demo's own S3 and SQS: %w", err)
	}
	c.url = "http://" + l.Addr().String()
	c.queueURL = c.url + c.queues.AddQueue(demoQueue, standin.QueueOptions{})
	objects := s3mem.New()
	if err := c.fill(objects); err != nil {
		return nil, err
	}
	s3, people := gofakes3.New(objects).Server(), demoPeople()
	c.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if people.Serves(r) {
			people.ServeHTTP(w, r)
			return
		}
		if r.Header.Get("X-Amz-Target") != "" {
			c.queues.ServeHTTP(w, r)
			return
		}
		s3.ServeHTTP(w, r)
	})}
	go func() { _ = c.server.Serve(l) }() // it ends with close
	return c, nil
}

// fill puts each sample file under the key that CloudTrail would give it, and its notice into the queue.
func (c *demoCloud) fill(objects *s3mem.Backend) error {
	if err := objects.CreateBucket(demoBucket); err != nil {
		return fmt.Errorf("making the demo's bucket: %w", err)
	}
	return fs.WalkDir(samples.Files(), ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := fs.ReadFile(samples.Files(), file)
		if err != nil {
			return err
		}
		name := path.Base(file)
		key := fmt.Sprintf("AWSLogs/%.12s/CloudTrail/%s/%s", name, demoRegion, name)
		if _, err := objects.PutObject(demoBucket, key, nil, bytes.NewReader(body), int64(len(body)), nil); err != nil {
			return fmt.Errorf("putting %s: %w", key, err)
		}
		c.queues.Send(demoQueue, standin.Notice(demoBucket, key, int64(len(body))))
		c.messages++
		return nil
	})
}

// demoAccount is the account of the attack records.
const demoAccount = "123837392027"

// demoPeople is IAM with the users of the samples. Their tags are made up.
func demoPeople() *standin.IAM {
	people := &standin.IAM{Own: demoAccount, Organization: "o-demo", Names: map[string]string{demoAccount: "attack-lab"}}
	people.Put(demoAccount, "user/bert-jan", standin.Principal{Path: "/people/", Tags: map[string]string{"team": "red", "cost-center": "4711"}})
	people.Put(demoAccount, "user/benjamin", standin.Principal{Path: "/people/", Tags: map[string]string{"team": "platform"}})
	for _, role := range []string{
		"ec2-get-password-data-role", "ec2-steal-credentials-role", "ec2-enumerate-role", "leave-org-role",
		"ec2lui-role-wuzemnoeqa", "ec2lui-role-pcccexdthk",
	} {
		people.Put(demoAccount, "role/stratus-red-team-"+role, standin.Principal{Tags: map[string]string{"purpose": "exercise"}})
	}
	for service, role := range map[string]string{"rds": "AWSServiceRoleForRDS", "inspector2": "AWSServiceRoleForAmazonInspector2"} {
		people.Put(demoAccount, "role/"+role, standin.Principal{Path: "/aws-service-role/" + service + ".amazonaws.com/"})
	}
	return people
}

// taggedUser is an enricher that adds nothing: it looks at what the others have found out about one user.
type taggedUser struct {
	name string

	mu     sync.Mutex
	member string // of aws.iam
	events int
}

// Enrich implements pipeline.Enricher.
func (u *taggedUser) Enrich(_ context.Context, r *cloudtrail.Record, f *ecs.Fragments) {
	if len(f.IAM) == 0 || !r.Field(cloudtrail.UserIdentity).Get("userName").Is(u.name) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.member = strings.TrimSuffix(string(f.IAM), ",")
	u.events++
}

// print says whose events carry which tags.
func (u *taggedUser) print(out io.Writer) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, err := fmt.Fprintf(out, "\nIAM tags: %d events of %s were written with aws.iam = {%s}\n", u.events, u.name, u.member)
	return err
}

// left is the number of messages that are not settled.
func (c *demoCloud) left() int {
	visible, inFlight := c.queues.Depth(demoQueue)
	return visible + inFlight
}

func (c *demoCloud) close() { _ = c.server.Close() }

// demoEnvironment makes a process know no AWS but the demo's, which is at url.
func demoEnvironment(url string) map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": "demo", "AWS_SECRET_ACCESS_KEY": "demo", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_S3": url, "AWS_ENDPOINT_URL_SQS": url, "AWS_CA_BUNDLE": "",
		"AWS_ENDPOINT_URL_IAM": url, "AWS_ENDPOINT_URL_STS": url, "AWS_ENDPOINT_URL_ORGANIZATIONS": url,
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false", "AWS_USE_FIPS_ENDPOINT": "", "AWS_USE_DUALSTACK_ENDPOINT": "",
	}
}

// isolate gives this process the demo's environment, whatever its own says.
func (c *demoCloud) isolate() error {
	for name, value := range demoEnvironment(c.url) {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

const demoConfig = `
aws: {region: ` + demoRegion + `, endpoint_url: %q}
sources: {sqs: [{queue_url: %q}]}
sinks: {local: {path: %q}}
server: {listen: ""}
`

// shipDemo carries every announced file into the store, with the daemon's own parts, and says how far it is.
func shipDemo(ctx context.Context, cloud *demoCloud, store string, progress io.Writer, log *zap.Logger) (result demoResult, err error) {
	if err := cloud.isolate(); err != nil {
		return result, err
	}
	text := fmt.Appendf(nil, demoConfig, cloud.url, cloud.queueURL, store)
	cfg, err := config.Parse("demo", text, func(string) (string, bool) { return "", false })
	if err != nil {
		return result, err
	}
	start := time.Now()
	registry, pulses := prometheus.NewRegistry(), &pipeline.Pulses{}
	metrics := pipeline.NewMetrics(registry)
	account, err := awsconfig.Load(ctx, cfg.AWS, log)
	if err != nil {
		return result, err
	}
	sink, err := openSink(cfg, account, registry, log, watch(pulses, sinkSilence))
	if err != nil {
		return result, err
	}
	defer closing(log, "store", sink.Close)
	queues, err := source.New(cfg.Sources, source.Options{AWS: account, Metrics: source.NewMetrics(registry), Log: log})
	if err != nil {
		return result, err
	}
	p, err := newPipeline(cfg, queues, sink, metrics, log)
	if err != nil {
		return result, err
	}
	enricher, err := enrich.New(cfg.Enrich, enrich.Options{AWS: account, Metrics: registry, Log: zap.NewNop()})
	if err != nil {
		return result, err
	}
	tagged := &taggedUser{name: "bert-jan"}
	p.Enrichers = []pipeline.Enricher{enricher, tagged}
	draining, drained := context.WithCancel(ctx)
	defer drained()
	go enricher.Run(draining)
	go func() {
		cloud.watch(draining, metrics, progress)
		drained()
	}()
	queues.Start(draining)
	_ = p.Run(draining) // it ends because we end it
	closing(log, "source", func() error { return queues.Close(context.WithoutCancel(ctx)) })
	if err := ctx.Err(); err != nil {
		return result, err
	}
	return demoResult{tagged: tagged, messages: cloud.messages, objects: cloud.messages, counts: metrics.Counts(), took: time.Since(start)}, nil
}

// watch returns when every message is settled, showing progress meanwhile.
func (c *demoCloud) watch(ctx context.Context, metrics *pipeline.Metrics, to io.Writer) {
	fmt.Fprintf(to, "shipping %d log files …\n", c.messages)
	look, show := time.NewTicker(5*time.Millisecond), time.NewTicker(time.Second)
	defer look.Stop()
	defer show.Stop()
	for c.left() > 0 {
		select {
		case <-look.C:
		case <-show.C:
			fmt.Fprintf(to, "%d of %d log files left, %d records read\n", c.left(), c.messages, metrics.Counts().Read)
		case <-ctx.Done():
			return
		}
	}
}
