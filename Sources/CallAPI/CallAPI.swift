public import CallService
import HTTPTypes
public import Hummingbird

/// The REST side: routes, their authentication, their errors, the call page.
public struct CallAPI {
    private let configuration: APIConfiguration
    private let verifier: any TokenVerifier
    let routes: [APIRoute]

    /// Logins by OpenID from one address: each makes this server ask another one.
    private static let loginRate = InitiateRate(count: 60, period: .seconds(60))

    /// An API over `calls`. `openID` lets users of other homeservers in, `appService` the
    /// homeserver itself; `readiness` answers `/readyz`.
    public init(
        calls: CallService,
        verifier: any TokenVerifier,
        openID: (any OpenIDLogin)? = nil,
        appService: AppServiceAccess? = nil,
        configuration: APIConfiguration,
        readiness: @escaping @Sendable () async -> Readiness
    ) {
        self.configuration = configuration
        self.verifier = verifier
        let initiations = InitiateRateLimiter(
            perUser: configuration.initiatePerUser,
            perAddress: configuration.initiatePerAddress
        )
        let logins = InitiateRateLimiter(perUser: nil, perAddress: Self.loginRate)
        routes =
            CallRoutes(calls: calls, initiations: initiations).all + SignalRoutes(calls: calls).all
            + LoginRoutes(openID: openID, logins: logins).all
            + TURNServerRoutes(calls: calls, verifier: verifier).all
            + OperationRoutes(readiness: readiness).all
            + (appService.map { AppServiceRoutes(listener: $0.listener, token: $0.token).all } ?? [])
    }

    /// The router over all routes.
    public func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestLogMiddleware())
        router.add(
            middleware: OriginMiddleware(
                policy: configuration.cors,
                answersMatrixClients: !configuration.answersLoopbackNamesOnly
            )
        )
        router.add(middleware: ProblemMiddleware())
        if configuration.answersLoopbackNamesOnly { router.add(middleware: HostMiddleware()) }
        router.add(middleware: AuthenticationMiddleware(verifier: verifier))
        for route in routes {
            add(route, to: router)
        }
        refuseOtherMethods(router)
        let page = PageRoutes(homeserver: configuration.homeserver)
        router.get("/") { request, _ in try page.answer(request) }
        for method in Self.methods where method != .get {
            router.on("/", method: method) { _, _ -> Response in throw Problem.methodNotAllowed([.get]) }
        }
        router.get("/**") { request, _ in try page.answer(request) }
        return router
    }

    /// What a known path answers with 405 where it does not have it.
    private static let methods: [HTTPRequest.Method] = [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
    ].compactMap(HTTPRequest.Method.init(rawValue:))

    private func add(_ route: APIRoute, to router: Router<APIContext>) {
        router.on(RouterPath(route.path), method: route.method) { [configuration] request, context in
            try await route.answer(APIRequest(request: request, context: context, configuration: configuration))
        }
    }

    /// A known path with another method is 405 and says which methods there are, instead of 404.
    private func refuseOtherMethods(_ router: Router<APIContext>) {
        for (path, known) in Dictionary(grouping: routes, by: \.path) {
            let allowed = known.map(\.method)
            for method in Self.methods where !allowed.contains(method) {
                router.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Problem.methodNotAllowed(allowed)
                }
            }
        }
    }
}
