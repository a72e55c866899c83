import CallModel
import CallService
import Cluster
import Observability
import RelayRuntime
import TURNRelay

/// The server's numbers under the names that docs/metrics.md explains.
enum ServerMetrics {
    private typealias Sample = MetricFamily.Sample

    /// Of the relay, all shards together.
    static func families(_ relay: RelayService) -> [MetricFamily] {
        let counters = relay.counters()
        return [
            MetricFamily("callrelay_relay_allocations", .gauge, "Allocations that live.", counters.liveAllocations),
            counter(
                "callrelay_relay_allocations_opened_total",
                "Allocations opened.",
                counters,
                [(nil, .allocationsOpened)]
            ),
            counter(
                "callrelay_relay_received_datagrams_total",
                "Datagrams received.",
                counters,
                [("client", .clientDatagrams), ("peer", .peerDatagrams)],
                by: "from"
            ),
            counter(
                "callrelay_relay_received_bytes_total",
                "Bytes of datagrams received.",
                counters,
                [("client", .clientBytes), ("peer", .peerBytes)],
                by: "from"
            ),
            counter(
                "callrelay_relay_forwarded_datagrams_total",
                "Payloads relayed.",
                counters,
                [("client", .datagramsToClients), ("peer", .datagramsToPeers)],
                by: "to"
            ),
            counter(
                "callrelay_relay_forwarded_bytes_total",
                "Bytes of payloads relayed.",
                counters,
                [("client", .bytesToClients), ("peer", .bytesToPeers)],
                by: "to"
            ),
            counter(
                "callrelay_relay_requests_total",
                "STUN and TURN requests answered.",
                counters,
                [("success", .answered), ("error", .refused)],
                by: "answer"
            ),
            counter(
                "callrelay_relay_capacity_refusals_total",
                "Allocations refused for want of a port, a descriptor or memory.",
                counters,
                [(nil, .capacityRefusals)]
            ),
            counter(
                "callrelay_relay_unsent_datagrams_total",
                "Datagrams that the kernel had no room for, refused, or could not send in one piece.",
                counters,
                [("blocked", .sendBlocked), ("refused", .sendRefused), ("too_large", .sendTooLarge)],
                by: "cause"
            ),
            MetricFamily(
                "callrelay_relay_dropped_datagrams_total",
                .counter,
                "Datagrams received and not acted on.",
                DropReason.allCases.map { Sample(Double(counters[$0]), ("reason", snakeCase("\($0)"))) }
            ),
        ]
    }

    /// Of calls and of what they are kept in.
    static func families(_ tallies: ServerTallies, _ hub: Hub, isStoreInTrouble: Bool) -> [MetricFamily] {
        let present = hub.present
        return [
            MetricFamily("callrelay_sockets", .gauge, "Connected sockets of users.", present.sockets),
            MetricFamily("callrelay_users", .gauge, "Users with a connected socket.", present.users),
            MetricFamily("callrelay_calls_joined", .gauge, "Calls that a socket here has joined.", present.calls),
            MetricFamily(
                "callrelay_calls_ended_total",
                .counter,
                "Calls whose end this node committed: by somebody in them, or by the clean-up when their time was over.",
                tallies.endings.all.map {
                    (reason: $0.key.reason.rawValue, by: $0.key.isByTime ? "clean-up" : "participant", count: $0.value)
                }
                .sorted { ($0.by, $0.reason) < ($1.by, $1.reason) }
                .map { Sample(Double($0.count), ("reason", $0.reason), ("by", $0.by)) }
            ),
            MetricFamily(
                "callrelay_store_failures_total",
                .counter,
                "Statements that the database did not do.",
                tallies.storeFailures.all.sorted { $0.key < $1.key }.map {
                    Sample(Double($0.value), ("statement", $0.key))
                }
            ),
            MetricFamily(
                "callrelay_store_in_trouble",
                .gauge,
                "1 from a failure of the database until it answers again, else 0.",
                isStoreInTrouble ? 1 : 0
            ),
            MetricFamily(
                "callrelay_webhook_handovers_total",
                .counter,
                "Tries to hand a notice to the webhook.",
                ServerTallies.Handover.allCases.map {
                    Sample(Double(tallies.handovers.all[$0] ?? 0), ("outcome", $0.rawValue))
                }
            ),
        ]
    }

    /// Of the homeserver.
    static func homeserver(_ tallies: ServerTallies) -> [MetricFamily] {
        [
            MetricFamily(
                "callrelay_homeserver_requests_total",
                .counter,
                "Questions to homeservers: answered, with a refusal too, or failed.",
                tallies.homeserverRequests.all
                    .map {
                        (
                            operation: $0.key.operation, outcome: $0.key.isAnswered ? "answered" : "failed",
                            count: $0.value
                        )
                    }
                    .sorted { ($0.operation, $0.outcome) < ($1.operation, $1.outcome) }
                    .map { Sample(Double($0.count), ("request", $0.operation), ("outcome", $0.outcome)) }
            ),
            MetricFamily(
                "callrelay_room_events_total",
                .counter,
                "Events for rooms: sent, put off by one try, or given up.",
                ServerTallies.RoomEventFate.allCases.map {
                    Sample(Double(tallies.roomEvents.all[$0] ?? 0), ("outcome", $0.rawValue))
                }
            ),
        ]
    }

    /// Of the other nodes.
    static func families(_ cluster: RedisCluster) -> [MetricFamily] {
        [
            MetricFamily(
                "callrelay_redis_connected",
                .gauge,
                "1 while Redis' messages are heard, else 0.",
                cluster.isConnected ? 1 : 0
            ),
            MetricFamily("callrelay_other_nodes", .gauge, "Other nodes that are known.", cluster.others.count),
        ]
    }

    private static func counter(
        _ name: String,
        _ help: String,
        _ counters: RelayCounters,
        _ events: [(label: String?, event: RelayCounters.Event)],
        by label: String = ""
    ) -> MetricFamily {
        let samples = events.map { value, event in
            value.map { Sample(Double(counters[event]), (label, $0)) } ?? Sample(Double(counters[event]))
        }
        return MetricFamily(name, .counter, help, samples)
    }

    /// `noPermission` as `no_permission`, `unsolicitedICMP` as `unsolicited_icmp`.
    static func snakeCase(_ name: String) -> String {
        var text = ""
        var isAfterCapital = true
        for character in name {
            if character.isUppercase, !isAfterCapital { text.append("_") }
            isAfterCapital = character.isUppercase
            text += character.lowercased()
        }
        return text
    }
}
