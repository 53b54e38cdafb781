package spread

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Names on the server.
const (
	jobStream    = "WIRE_JOBS"
	jobSubject   = "wire.jobs" // .OFFER.KEY
	newsSubject  = "wire.news" // .OFFER
	offerBucket  = "wire_offers"
	resultBucket = "wire_results"
	inputBucket  = "wire_inputs"
)

const (
	// Results whose coordinator did not come back are kept for so long.
	resultAge = 30 * 24 * time.Hour
	// A larger result travels as an object.
	largeResult = 256 << 10
	// A job that failed so often fails the whole.
	tries = 3
	// After so long without a result the coordinator asks for what is missing.
	idle = 30 * time.Second
)

// Offer is work that a coordinator has: what it is about, and what must be alike
// on its side and on a worker's for results to have the same bits.
type Offer struct {
	ID     string            `json:"id"`   // a hash: letters and digits
	Kind   string            `json:"kind"` // of work
	Name   string            `json:"name"` // for people
	Spec   string            `json:"spec"`
	Checks map[string]string `json:"checks"`
	// Input is the SHA-256 of an archive of what the work reads, "" for none, and
	// Paths what the spec's paths are called in it.
	Input string            `json:"input,omitempty"`
	Paths map[string]string `json:"paths,omitempty"`
	Time  time.Time         `json:"time"`
	// Heartbeat is how often a worker says that it is at a job; after three that
	// fail to come another gets it. 0 is 10 s.
	Heartbeat time.Duration `json:"heartbeat"`
}

// Job is a piece of the work.
type Job struct {
	Data []byte
	Name string // for people
}

// key is a job's in an offer: the hash of both.
func (j *Job) key(offer string) string {
	return sum([]byte(offer + "\n" + string(j.Data)))
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// answer is what is stored of a job.
type answer struct {
	Result []byte `json:"result,omitempty"`
	Object string `json:"object,omitempty"` // of a large result, its SHA-256
	Error  string `json:"error,omitempty"`
	Worker string `json:"worker"`
}

// News is what a worker says of itself to a coordinator: that it joined an offer
// or, by a reason, that it stays out.
type News struct {
	Worker string `json:"worker"`
	Slots  int    `json:"slots"`
	Out    string `json:"out,omitempty"`
}

// stores are what is kept on the server.
type stores struct {
	jobs            jetstream.Stream
	offers, results jetstream.KeyValue
	inputs          jetstream.ObjectStore
}

// open finds the stores, or makes them: in a cluster on three of its servers, so that
// one of them may be lost.
func (l *Link) open(ctx context.Context) (s stores, err error) {
	if l.nc.ConnectedClusterName() != "" {
		if s, err = l.openOn(ctx, 3); !smaller(err) {
			return s, err
		}
	}
	return l.openOn(ctx, 1)
}

// smaller says that a server, or a cluster, has not as many places as were asked for.
func smaller(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == noPeers || api.ErrorCode == noCluster)
}

// Codes of the server's errors.
const (
	noPeers   = 10005 // no suitable peers for placement
	noCluster = 10074 // replicas > 1 not supported in non-clustered mode
)

// openOn finds the stores, or makes them on so many servers.
func (l *Link) openOn(ctx context.Context, replicas int) (s stores, err error) {
	if s.jobs, err = l.js.Stream(ctx, jobStream); errors.Is(err, jetstream.ErrStreamNotFound) {
		s.jobs, err = l.js.CreateStream(ctx, jetstream.StreamConfig{
			Name: jobStream, Subjects: []string{jobSubject + ".>"}, Retention: jetstream.WorkQueuePolicy,
			MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true, Replicas: replicas,
		})
	}
	if err != nil {
		return s, fmt.Errorf("jobs: %w", err)
	}
	bucket := func(name string, age time.Duration) (kv jetstream.KeyValue, err error) {
		if kv, err = l.js.KeyValue(ctx, name); errors.Is(err, jetstream.ErrBucketNotFound) {
			kv, err = l.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, TTL: age, Replicas: replicas})
		}
		return kv, err
	}
	if s.offers, err = bucket(offerBucket, 0); err != nil {
		return s, fmt.Errorf("offers: %w", err)
	}
	if s.results, err = bucket(resultBucket, resultAge); err != nil {
		return s, fmt.Errorf("results: %w", err)
	}
	if s.inputs, err = l.js.ObjectStore(ctx, inputBucket); errors.Is(err, jetstream.ErrBucketNotFound) {
		s.inputs, err = l.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: inputBucket, Replicas: replicas})
	}
	if err != nil {
		return s, fmt.Errorf("inputs: %w", err)
	}
	return s, nil
}

// Queue is an offer's coordinator.
type Queue struct {
	stores
	link  *Link
	offer Offer
	news  *nats.Subscription
}

// Offer makes an offer known, and sends the file input along, "" for none. tell,
// which may be nil, hears of workers. The queue is to be closed.
func (l *Link) Offer(ctx context.Context, o Offer, input string, tell func(News)) (*Queue, error) {
	q := &Queue{link: l, offer: o}
	late := time.Now().Add(idle) // a cluster may be choosing who leads
	err := persist(ctx, func() (err error) {
		if q.stores, err = l.open(ctx); transient(err) && time.Now().After(late) {
			return fmt.Errorf("it does not answer: %v", err)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", l.URL, err)
	}
	if o.Heartbeat <= 0 {
		q.offer.Heartbeat = 10 * time.Second
	}
	if q.offer.Time.IsZero() {
		q.offer.Time = time.Now().UTC()
	}
	if input != "" {
		if q.offer.Input, err = q.send(ctx, input); err != nil {
			return nil, fmt.Errorf("send what %s reads: %w", o.Name, err)
		}
	}
	if _, err := q.jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: o.ID, FilterSubject: jobSubject + "." + o.ID + ".*", AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: 3 * q.offer.Heartbeat, MaxDeliver: -1, MaxAckPending: -1,
	}); err != nil {
		return nil, fmt.Errorf("jobs of %s: %w", o.Name, err)
	}
	if tell != nil {
		q.news, err = l.nc.Subscribe(newsSubject+"."+o.ID, func(m *nats.Msg) {
			var n News
			if json.Unmarshal(m.Data, &n) == nil {
				tell(n)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(q.offer)
	if err != nil {
		return nil, err
	}
	if _, err := q.offers.Put(ctx, o.ID, data); err != nil {
		return nil, fmt.Errorf("offer %s: %w", o.Name, err)
	}
	return q, nil
}

// send stores a file as an object and returns its SHA-256.
func (q *Queue) send(ctx context.Context, file string) (string, error) {
	name, err := sumOf(file)
	if err != nil {
		return "", err
	}
	if _, err := q.inputs.GetInfo(ctx, q.offer.ID+"/"+name); err == nil {
		return name, nil
	}
	return name, putFile(ctx, q.inputs, q.offer.ID+"/"+name, file)
}

// Run has jobs done and gives each result to took, one at a time and each once, in
// the order in which they come. Results that are there from before are given
// first. It ends when all are taken, at the first error of took, and when a job
// has failed for the third time.
func (q *Queue) Run(ctx context.Context, jobs []Job, took func(job int, result []byte) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	pending := map[string]int{}
	for i := range jobs {
		pending[jobs[i].key(q.offer.ID)] = i
	}
	take := func(key string, data []byte) error {
		i, wanted := pending[key]
		if !wanted {
			return nil
		}
		// What is no result is forgotten, so that the next time it is tried anew.
		forget := func(err error) error { return errors.Join(err, q.results.Purge(ctx, q.offer.ID+"."+key)) }
		var a answer
		if err := json.Unmarshal(data, &a); err != nil {
			return forget(fmt.Errorf("result of %s: %w", jobs[i].Name, err))
		}
		if a.Error != "" {
			return forget(fmt.Errorf("%s: %s (worker %s, after %d tries)", jobs[i].Name, a.Error, a.Worker, tries))
		}
		result, err := q.fetch(ctx, a)
		if errors.Is(err, errDamaged) || errors.Is(err, jetstream.ErrObjectNotFound) {
			return forget(fmt.Errorf("result of %s: %w", jobs[i].Name, err))
		}
		if err != nil {
			return fmt.Errorf("result of %s: %w", jobs[i].Name, err)
		}
		if err := took(i, result); err != nil {
			return err
		}
		delete(pending, key)
		return nil
	}
	results, err := q.results.Watch(ctx, q.offer.ID+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	defer results.Stop() //nolint:errcheck // it ends with the connection else
	asked := false
	for len(pending) > 0 {
		select {
		case e, open := <-results.Updates():
			switch {
			case !open:
				err = nats.ErrConnectionClosed
			case e == nil && !asked: // all that were there have come
				asked = true
				err = q.ask(ctx, jobs, pending)
			case e != nil:
				err = take(lastToken(e.Key()), e.Value())
			}
		case <-time.After(idle):
			if err = q.missing(ctx, pending, take); err == nil {
				err = q.ask(ctx, jobs, pending)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err != nil && !transient(err) { // a server that is away is asked again
			return err
		}
	}
	return nil
}

// ask puts those jobs into the stream that are not in it.
func (q *Queue) ask(ctx context.Context, jobs []Job, pending map[string]int) error {
	for i := range jobs {
		key := jobs[i].key(q.offer.ID)
		if _, left := pending[key]; !left {
			continue
		}
		_, err := q.link.js.Publish(ctx, jobSubject+"."+q.offer.ID+"."+key, jobs[i].Data)
		if api := (*jetstream.APIError)(nil); errors.As(err, &api) && strings.Contains(api.Description, "maximum messages per subject") {
			continue // it stands there
		}
		if err != nil {
			return fmt.Errorf("ask for %s: %w", jobs[i].Name, err)
		}
	}
	return nil
}

// missing takes results that were not told of.
func (q *Queue) missing(ctx context.Context, pending map[string]int, take func(string, []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(pending)) {
		e, err := q.results.Get(ctx, q.offer.ID+"."+key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err == nil {
			err = take(key, e.Value())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errDamaged says that an object is not the one that was stored.
var errDamaged = errors.New("it is damaged")

// fetch is a result, which may lie among the objects.
func (q *Queue) fetch(ctx context.Context, a answer) ([]byte, error) {
	if a.Object == "" {
		return a.Result, nil
	}
	data, err := q.inputs.GetBytes(ctx, q.offer.ID+"/"+a.Object)
	if err == nil && sum(data) != a.Object {
		err = errDamaged
	}
	return data, err
}

// Close withdraws the offer; workers end what they do for it. done says that all
// results were taken: nothing is kept. Else those that were not are, for the next
// that makes the offer.
func (q *Queue) Close(done bool) error {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	if q.news != nil {
		q.news.Unsubscribe() //nolint:errcheck // it ends with the connection else
	}
	errs := []error{
		q.offers.Purge(ctx, q.offer.ID),
		q.jobs.Purge(ctx, jetstream.WithPurgeSubject(jobSubject+"."+q.offer.ID+".*")),
	}
	if done {
		errs = append(errs, q.jobs.DeleteConsumer(ctx, q.offer.ID), q.forget(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("withdraw %s from %s: %w", q.offer.Name, q.link.URL, err)
	}
	return nil
}

// forget drops results and inputs.
func (q *Queue) forget(ctx context.Context) error {
	s, err := q.link.js.Stream(ctx, "KV_"+resultBucket)
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSubject("$KV."+resultBucket+"."+q.offer.ID+".*"))
	}
	if err != nil {
		return err
	}
	objects, err := q.inputs.List(ctx)
	if errors.Is(err, jetstream.ErrNoObjectsFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, o := range objects {
		if strings.HasPrefix(o.Name, q.offer.ID+"/") {
			if err := q.inputs.Delete(ctx, o.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// persist does what may fail for a while, until the context ends. That must have no
// deadline: what a server leaves unanswered would last as long.
func persist(ctx context.Context, do func() error) error {
	err := do()
	for transient(err) && pause(ctx, time.Second) {
		err = do()
	}
	return err
}

// transient says that an error is of a connection that may come back.
func transient(err error) bool {
	return errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, jetstream.ErrNoStreamResponse)
}

func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// store keeps an answer unless there is one; large results go among the objects
// first.
func (s *stores) store(ctx context.Context, offer, key string, a answer) error {
	if len(a.Result) > largeResult {
		name := sum(a.Result)
		if _, err := s.inputs.Put(ctx, jetstream.ObjectMeta{Name: offer + "/" + name}, bytes.NewReader(a.Result)); err != nil {
			return err
		}
		a.Result, a.Object = nil, name
	}
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = s.results.Create(ctx, offer+"."+key, data)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return nil
	}
	return err
}
