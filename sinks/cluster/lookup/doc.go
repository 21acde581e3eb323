// Package lookup answers questions about events that a sink has written to Elasticsearch or OpenSearch as ECS documents: it is
// history.Search over a cluster.
//
// A question becomes a search in two parts. What the fields of a document can say the cluster is asked, with counts by
// aggregations. What they cannot (resources, traits, issued credentials, pieces of text, patterns of users) the cluster is
// asked as nearly as it can say, and each document that it finds is read as a CloudTrail record again and described and
// judged by the rules of package history, so that a question means here what it means over every other store. Counts are
// of the newest documents then, and say so. Scripts are never used.
//
// Pages follow each other by search_after over the event's time, event.id and the place in its log file, all of them fields
// of ours, and not by a point in time, which Elasticsearch and OpenSearch have in different ways and plain ones of version
// seven not at all. So a page sees what was written after the one before, a cursor never ends, and nothing is kept open in
// the cluster.
package lookup
