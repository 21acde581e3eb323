//go:build servers

package servers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/cluster"
	"github.com/trailship/trailship/sinks/opensearch"
)

// testRawDocuments sends records as CloudTrail wrote them, and asks for them as Sigma's rules do.
func (r *rig) testRawDocuments(t *testing.T) {
	t.Helper()
	index := r.install(t, cluster.RawDocuments, "cloudtrail-raw-documents")
	leaf := 0
	if r.cluster.Name != "elasticsearch" {
		leaf = opensearch.LeafLimit
	}
	encoder := ecs.NewRaw(ecs.Config{LeafLimit: leaf})
	t.Run("hostile records are taken as they are", func(t *testing.T) {
		r.sendHostile(t, index, encoder)
	})
	t.Run("sample records are taken as they are", func(t *testing.T) {
		batch := batch{rig: r, index: index}
		eachRecord(t, func(rec *cloudtrail.Record) {
			batch.add(t, string(rec.Field(cloudtrail.EventName).Bytes()), encoder.Append(nil, rec))
		})
		batch.send(t)
		t.Logf("%d documents", batch.taken)
	})
	r.drop(t, index)
	r.install(t, cluster.RawDocuments, index)
	t.Run("rules of Sigma's find them", func(t *testing.T) { r.checkSigma(t, index, encoder) })
	r.drop(t, index)
}

const sigmaRecord = `{"eventTime":"2026-01-02T03:04:05Z","eventName":"ConsoleLogin","eventSource":"signin.amazonaws.com",
	"userAgent":"Jersey/${project.version} (HttpUrlConnection 1.8)","errorCode":"AccessDenied","errorMessage":"User is not authorized",
	"eventType":"AwsConsoleSignIn","status":"success","sourceIPAddress":"203.0.113.7",
	"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/Alice","sessionContext":{"sessionIssuer":{"type":"Role"}}},
	"additionalEventData":{"MFAUsed":"No"},
	"requestParameters":{"attribute":"userData","enable":false,"layers":["arn:aws:lambda:eu-west-1:1:layer:x:1"],
	"containerDefinitions":[{"name":"c"},{"command":["sh","-c","curl $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]}],
	"VersioningConfiguration":{"Status":"Suspended"}},
	"responseElements":{"ConsoleLogin":"Success","publiclyAccessible":true,"pendingModifiedValues":{"masterUserPassword":"****"},"x":"Failure"}}`

// checkSigma asks for each field that Sigma's rules name, by whole value, beginning, end and middle.
func (r *rig) checkSigma(t *testing.T, index string, encoder *ecs.Raw) {
	t.Helper()
	batch := batch{rig: r, index: index}
	for _, text := range []string{sigmaRecord, `{"awsRegion":"eu-west-1"}`} {
		var rec cloudtrail.Record
		if err := rec.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		batch.add(t, "sigma", encoder.Append(nil, &rec))
	}
	batch.send(t)
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+index+"/_refresh", nil, nil); err != nil {
		t.Fatal(err)
	}
	for field, value := range map[string]string{
		"eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com", "userAgent": "Jersey/${project.version} (HttpUrlConnection 1.8)",
		"errorCode": "AccessDenied", "errorMessage": "User is not authorized", "eventType": "AwsConsoleSignIn", "status": "success",
		"sourceIPAddress": "203.0.113.7", "userIdentity.type": "IAMUser", "userIdentity.arn": "arn:aws:iam::111122223333:user/Alice",
		"userIdentity.sessionContext.sessionIssuer.type": "Role", "additionalEventData.MFAUsed": "No",
		"requestParameters": "Suspended", "requestParameters.attribute": "userData", "requestParameters.enable": "false",
		"requestParameters.layers":                       "arn:aws:lambda:eu-west-1:1:layer:x:1",
		"requestParameters.containerDefinitions.command": "curl $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"responseElements":                               "Failure", "responseElements.ConsoleLogin": "Success", "responseElements.publiclyAccessible": "true",
		"responseElements.pendingModifiedValues.masterUserPassword": "****",
	} {
		t.Run(field, func(t *testing.T) {
			free := strings.HasPrefix(field, "re") // inside of flattened objects case counts
			flat := free && r.cluster.Name != "elasticsearch"
			for _, q := range sigmaQueries(field, value, !free) {
				if flat && strings.HasPrefix(q, "_exists_") && strings.Count(field, ".") > 1 {
					continue // OpenSearch 2 knows this of the first level of a flat_object only
				}
				var query any = map[string]any{"query_string": map[string]any{"query": q, "analyze_wildcard": true}}
				if pattern, ok := strings.CutPrefix(q, field+":*"); ok && flat {
					// A query_string with a wildcard in front finds nothing in OpenSearch's flat_object; the query by itself does.
					query = map[string]any{"wildcard": map[string]any{field: "*" + strings.ReplaceAll(pattern, `\`, "")}}
				}
				if got := r.found(t, index, query); got != 1 {
					t.Errorf("%v: got %d documents, want 1", query, got)
				}
			}
		})
	}
}

// sigmaQueries are the searches that Sigma's Lucene backend writes for equality, startswith, endswith and contains.
func sigmaQueries(field, value string, anyCase bool) []string {
	queries := []string{
		field + ":" + escaped(value), field + ":" + escaped(value[:len(value)-1]) + "*", field + ":*" + escaped(value[1:]),
		field + ":*" + escaped(value[1:len(value)-1]) + "*", "_exists_:" + field,
	}
	if anyCase {
		upper := strings.ToUpper(value)
		queries = append(queries, field+":"+escaped(upper), field+":*"+escaped(upper[1:])+"*")
	}
	return queries
}

// escaped is text for a query_string.
func escaped(text string) string {
	var out strings.Builder
	for _, c := range text {
		if strings.ContainsRune(`+-=&|><!(){}[]^"~*?:\/ `, c) && c != '<' && c != '>' {
			out.WriteByte('\\')
		}
		out.WriteRune(c)
	}
	return out.String()
}

// found counts the documents that a query finds; -1 when the cluster refuses it.
func (r *rig) found(t *testing.T, index string, query any) int {
	t.Helper()
	var answer search
	if err := r.cluster.Do(t.Context(), http.MethodPost, "/"+index+"/_search", map[string]any{"size": 0, "query": query, "track_total_hits": true}, &answer); err != nil {
		t.Log(err)
		return -1
	}
	return answer.Hits.Total.Value
}
