public import ArgumentParser
import BenchSupport
import FoundationEssentials
import Glibc
import NetPrimitives
import PacketIO
import STUNServer
public import TURNBench

extension LoadMode: ExpressibleByArgument {}
extension LoadDirection: ExpressibleByArgument {}

/// `turn-bench`: loads a server.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load a TURN server (the default command).",
        discussion: """
            Makes allocations, then sends payloads through them by the clock, whatever became of those before, and counts \
            what arrives. Latency is from the moment a payload was due to the moment it was read. One thread sends and \
            reads and never sleeps; pin it and the server to processors of their own (taskset) and give --server-pid to \
            have the server's time and memory looked at. On loopback the kernel charges a datagram's way into the \
            receiver's socket to its sender: compare servers in one rig, not figures of different ones.

              callrelay serve &        # with TURN_ALLOWED_PEERS=127.0.0.0/8, since the peers are on loopback
              taskset -c 0 turn-bench --server turn:127.0.0.1:3478 --secret $SECRET --pps 50000 --server-pid $!
            """
    )

    @Option(help: ArgumentHelp("turn:HOST:PORT, or floor:HOST:PORT for `turn-bench floor`.", valueName: "uri"))
    var server: String

    @Option(help: "The server's shared secret, of which credentials are made.")
    var secret: String?

    @Option(help: "A user's name, instead of a secret.")
    var user: String?

    @Option(help: "That user's password.")
    var password: String?

    @Option(help: "Clients, each with one allocation.")
    var allocations = 200

    @Option(help: "Bytes of a payload, 24 at least.")
    var payload = 160

    @Option(help: "Payloads a second in each direction, of all clients together.")
    var pps: Double?

    @Flag(help: "Send as fast as the generator can, instead of --pps.")
    var max = false

    @Option(help: "up (clients to peers), down (peers to clients) or both.")
    var direction = LoadDirection.both

    @Option(help: "Payloads of one flow that leave back to back, up to 64.")
    var burst = 1

    @Flag(
        help: """
            Have the kernel cut and join the generator's own bursts (UDP_SEGMENT, UDP_GRO). On loopback this hands the \
            server ready-made batches, so it is off unless asked for.
            """
    )
    var gso = false

    @Option(help: "channel (ChannelData) or indication (Send and Data).")
    var mode = LoadMode.channel

    @Option(help: "Seconds to measure; 0 only makes the allocations and looks at what they take.")
    var duration = 10.0

    @Option(help: "Seconds of load before that.")
    var warmUp = 1.0

    @Option(help: "The server's process, to look at its time and memory.")
    var serverPid: Int?

    @Option(help: "The address that clients and peers bind; the one towards the server by default.")
    var bind: String?

    @Flag(help: "Print the report as one JSON object, and nothing else.")
    var json = false

    @Flag(help: "The server is not on loopback, and the load is welcome there.")
    var iOwnThisHost = false

    func validate() throws {
        guard let address = ServerAddress(parsing: server) else {
            throw ValidationError("--server needs turn:HOST:PORT or floor:HOST:PORT")
        }
        guard address.speech == .floor || (secret != nil) != (user != nil && password != nil) else {
            throw ValidationError("either --secret or --user and --password are needed")
        }
        guard (1...100_000).contains(allocations) else { throw ValidationError("--allocations must be 1 to 100000") }
        guard (PayloadStamp.byteCount...1472).contains(payload) else {
            throw ValidationError("--payload must be \(PayloadStamp.byteCount) to 1472 bytes")
        }
        guard (1...SendVector.capacity).contains(burst) else { throw ValidationError("--burst must be 1 to 64") }
        guard !gso || burst * (payload + 64) < 65_000 else {
            throw ValidationError("--gso: a burst must fit into 65,000 bytes; lower --burst or --payload")
        }
        guard duration >= 0, duration <= 86_400, warmUp >= 0, warmUp <= 3600 else {
            throw ValidationError("--duration must be 0 to 86400 seconds, --warm-up 0 to 3600")
        }
        guard duration == 0 || max != (pps != nil) else { throw ValidationError("either --pps or --max is needed") }
        guard pps.map({ $0 > 0 && $0 <= 10_000_000 }) ?? true else {
            throw ValidationError("--pps must be more than 0 and at most 10000000")
        }
    }

    func run() throws {
        do {
            let report = try load().run()
            if json {
                try StandardOutput.print(json: report)
            } else {
                print(report.table, terminator: "")
            }
            if !report.void.isEmpty { throw ExitCode(3) }
        } catch let failure as BenchFailure {
            throw CleanFailure(failure.description)
        } catch let failure as SystemError {
            throw CleanFailure("\(failure)")
        }
    }

    private func load() throws -> LoadRun {
        guard let address = ServerAddress(parsing: server) else { throw ValidationError("--server") }
        let endpoint = try resolve(address)
        guard ServerAddress.isHarmless(endpoint.address) || iOwnThisHost else {
            throw ValidationError("\(endpoint.address) is not loopback; --i-own-this-host says it is yours to load")
        }
        let plan = LoadPlan(
            target: server,
            speech: address.speech,
            allocations: allocations,
            payloadByteCount: payload,
            packetsPerSecond: max ? nil : pps,
            direction: direction,
            mode: mode,
            burst: burst,
            usesSegmentation: gso,
            seconds: duration,
            warmUpSeconds: warmUp,
            serverProcess: serverPid
        )
        return LoadRun(
            plan: plan,
            server: endpoint,
            bind: try bindAddress(endpoint),
            credential: credential(),
            status: StatusLine(isSilent: json)
        )
    }

    private func credential() -> (Int) -> LoadCredential {
        if let user, let password { return { _ in LoadCredential(username: user, password: password) } }
        let secret = SharedSecret(self.secret ?? "")
        let expiry = UInt64(Date.now.timeIntervalSince1970) + 86_400
        return { number in
            let credential = TimeLimitedCredential.mint(secret: secret, expiry: expiry, name: "turn-bench-\(number)")
            return LoadCredential(username: credential.username, password: credential.password)
        }
    }

    private func resolve(_ address: ServerAddress) throws -> Endpoint {
        if let literal = try? IPAddress(parsing: address.host) { return Endpoint(address: literal, port: address.port) }
        guard let resolved = HostResolver.address(of: address.host) else {
            throw CleanFailure("--server: \(address.host) has no address")
        }
        return Endpoint(address: resolved, port: address.port)
    }

    private func bindAddress(_ server: Endpoint) throws -> IPAddress {
        if let bind {
            guard let address = try? IPAddress(parsing: bind), address.family == server.address.family else {
                throw ValidationError("--bind needs an address of the server's family")
            }
            return address
        }
        if server.address.isLoopback { return server.address }
        guard let source = NetworkInterfaces.source(towards: server) else {
            throw CleanFailure("there is no way to \(server); --bind may name one")
        }
        return source
    }
}
