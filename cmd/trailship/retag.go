package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/trailship/trailship/config"
	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/awsconfig"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/pipeline/enrich"
	"github.com/trailship/trailship/sinks/cluster"
)

const retagHelp = `retag fills in the IAM tags of documents that were written while IAM did not answer: those with the tag _iam_unavailable.
It asks IAM as the daemon does and changes the documents in the cluster, which takes the rights to read and to update them,
that the daemon itself does not need: give it a configuration with a user of its own (deploy/elasticsearch/retag-role.json,
deploy/opensearch/retag-role.json). The tags are those of now, not of then.

Exit code 1 says that some documents are still without tags; running it again goes on with those.`

func newRetag(exit func(int)) *cobra.Command {
	var file string
	var since time.Duration
	cmd := &cobra.Command{
		Use:     "retag --config FILE [--since DURATION]",
		Short:   "Fill in the IAM tags of documents that were written without",
		Long:    retagHelp,
		Example: "  trailship retag --config trailship-admin.yaml --since 48h",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(file)
			if err != nil {
				return err
			}
			if since <= 0 {
				return fmt.Errorf("reading --since: %s is no time ago: write one such as 24h", since)
			}
			log, err := newLogger(cfg.Log, zapcore.AddSync(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			ctx, stop := untilSignal(cmd.Context(), exit)
			defer stop()
			return retag(ctx, cfg, time.Now().Add(-since), cmd.OutOrStdout(), log)
		},
	}
	configFlag(cmd, &file)
	cmd.Flags().DurationVar(&since, "since", 24*time.Hour, "how long ago the oldest event may have happened")
	return cmd
}

// retagWait is how long retag waits for one answer of IAM: there is no hurry.
const retagWait = 15 * time.Second

// retag fills in the tags of events since then.
func retag(ctx context.Context, cfg *config.Config, since time.Time, out io.Writer, log *zap.Logger) error {
	index, err := pipeline.ParseIndexPattern(cfg.Output.Index)
	if err != nil {
		return fmt.Errorf("output.index: %w", err)
	}
	account, err := awsconfig.Load(ctx, cfg.AWS, log)
	if err != nil {
		return err
	}
	sink, err := openSink(cfg, account, prometheus.NewRegistry(), log, nil)
	if err != nil {
		return err
	}
	defer closing(log, "sink", sink.Close)
	ask := sink.Cluster()
	if ask == nil {
		return errors.New("retag changes documents of a cluster: the sink is none")
	}
	only := cfg.Enrich
	only.Wait, only.IAMTags.Enabled, only.AccountNames.Enabled, only.UserAgent.Enabled = retagWait, true, false, false
	only.GeoIP = enrich.GeoIPConfig{}
	set, err := enrich.New(only, enrich.Options{AWS: account, Metrics: prometheus.NewRegistry(), Log: log})
	if err != nil {
		return value.Under("enrich", err)
	}
	asking, enough := context.WithCancel(ctx)
	defer enough()
	go set.Run(asking)
	r := &retagger{ask: ask, enricher: set}
	err = cluster.Each(ctx, ask, index.Wildcard(), untagged(since), retagFields(), func(hits []cluster.Hit) error { return r.page(ctx, hits) })
	fmt.Fprintf(out, "%d documents found, %d tagged, %d still without, %d refused\n", r.found, r.tagged, r.without, r.refused)
	switch {
	case err != nil:
		return worked(err)
	case r.refused > 0:
		return worked(fmt.Errorf("the cluster refuses changes: %s", r.reason))
	case r.without > 0:
		return worked(errors.New("IAM did not answer for all: the log says why; run retag again then"))
	}
	return nil
}

// untagged finds documents by their tag.
func untagged(since time.Time) any {
	return map[string]any{"bool": map[string]any{"filter": []any{
		map[string]any{"term": map[string]any{"tags": enrich.Unavailable}},
		map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": since.UTC().Format(time.RFC3339)}}},
	}}}
}

func retagFields() []string {
	return []string{"tags", "user.name", "cloud.account.id", "aws.cloudtrail.user_identity"}
}

// written is what retag reads of a document.
type written struct {
	Tags []string `json:"tags"`
	User struct {
		Name string `json:"name"`
	} `json:"user"`
	Cloud struct {
		Account struct {
			ID string `json:"id"`
		} `json:"account"`
	} `json:"cloud"`
	AWS struct {
		CloudTrail struct {
			Identity struct {
				Type    string `json:"type"`
				ARN     string `json:"arn"`
				Session struct {
					Issuer struct {
						Type    string `json:"type"`
						ARN     string `json:"arn"`
						Account string `json:"account_id"`
					} `json:"session_issuer"`
				} `json:"session_context"`
			} `json:"user_identity"`
		} `json:"cloudtrail"`
	} `json:"aws"`
}

// identity is the userIdentity that the document was made of, as far as IAM has to know.
func (w *written) identity() ([]byte, error) {
	from := w.AWS.CloudTrail.Identity
	who := map[string]any{"type": from.Type, "arn": from.ARN, "accountId": w.Cloud.Account.ID}
	if issuer := from.Session.Issuer; issuer.ARN != "" {
		who["sessionContext"] = map[string]any{"sessionIssuer": map[string]any{
			"type": issuer.Type, "arn": issuer.ARN, "accountId": issuer.Account, "userName": issuer.ARN[strings.LastIndexByte(issuer.ARN, '/')+1:],
		}}
	} else {
		who["userName"] = w.User.Name
	}
	return json.Marshal(map[string]any{"userIdentity": who})
}

// retagger changes pages of documents.
type retagger struct {
	ask      cluster.Transport
	enricher pipeline.Enricher

	found, tagged, without, refused int
	reason                          string
}

func (r *retagger) page(ctx context.Context, hits []cluster.Hit) error {
	var changes []cluster.Change
	for _, hit := range hits {
		r.found++
		doc, err := r.change(ctx, hit)
		if err != nil {
			return fmt.Errorf("reading document %s of %s: %w", hit.ID, hit.Index, err)
		}
		if doc == nil {
			r.without++
			continue
		}
		changes = append(changes, cluster.Change{Hit: hit, Doc: doc})
	}
	if len(changes) == 0 {
		return ctx.Err()
	}
	refused, reason, err := cluster.Apply(ctx, r.ask, changes)
	if err != nil {
		return err
	}
	r.refused, r.tagged = r.refused+refused, r.tagged+len(changes)-refused
	if r.reason == "" {
		r.reason = reason
	}
	return ctx.Err()
}

// change is what to lay over a document, nil when IAM does not answer.
func (r *retagger) change(ctx context.Context, hit cluster.Hit) (json.RawMessage, error) {
	var w written
	if err := json.Unmarshal(hit.Source, &w); err != nil {
		return nil, err
	}
	text, err := w.identity()
	if err != nil {
		return nil, err
	}
	var record cloudtrail.Record
	if err := record.Parse(text); err != nil {
		return nil, err
	}
	var f ecs.Fragments
	r.enricher.Enrich(ctx, &record, &f)
	if len(f.Tags) > 0 {
		return nil, nil
	}
	tags, err := json.Marshal(slices.DeleteFunc(w.Tags, func(tag string) bool { return tag == enrich.Unavailable }))
	if err != nil {
		return nil, err
	}
	doc := append([]byte(`{"tags":`), tags...)
	for _, part := range []struct {
		key     string
		members []byte
	}{{`,"aws":{"iam":{`, f.IAM}, {`,"user":{`, f.User}, {`,"organization":{`, f.OrgName}, {`,"labels":{`, f.Labels}} {
		if len(part.members) == 0 {
			continue
		}
		doc = append(append(doc, part.key...), part.members[:len(part.members)-1]...)
		doc = append(doc, strings.Repeat("}", strings.Count(part.key, "{"))...)
	}
	return append(doc, '}'), nil
}
