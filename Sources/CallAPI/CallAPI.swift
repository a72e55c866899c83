public import CallService
import HTTPTypes
public import Hummingbird

/// The REST side: routes, their authentication, their errors, the call page.
public struct CallAPI {
    private let configuration: APIConfiguration
    private let verifier: any TokenVerifier
    let routes: [APIRoute]

    /// An API over `calls`. `readiness` answers `/readyz`.
    public init(
        calls: CallService,
        verifier: any TokenVerifier,
        configuration: APIConfiguration,
        readiness: @escaping @Sendable () async -> Readiness
    ) {
        self.configuration = configuration
        self.verifier = verifier
        let initiations = InitiateRateLimiter(
            perUser: configuration.initiatePerUser,
            perAddress: configuration.initiatePerAddress
        )
        routes =
            CallRoutes(calls: calls, initiations: initiations).all + SignalRoutes(calls: calls).all
            + OperationRoutes(readiness: readiness).all
    }

    /// The router over all routes.
    public func router() -> Router<APIContext> {
        let router = Router(context: APIContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RequestLogMiddleware())
        router.add(middleware: OriginMiddleware(policy: configuration.cors))
        router.add(middleware: ProblemMiddleware())
        if configuration.answersLoopbackNamesOnly { router.add(middleware: HostMiddleware()) }
        let identified = router.group().add(middleware: AuthenticationMiddleware(verifier: verifier))
        for route in routes {
            let group: any RouterMethods<APIContext> = route.needsIdentity ? identified : router
            add(route, to: group)
        }
        refuseOtherMethods(open: router, identified: identified)
        router.get("/") { request, _ in try PageRoutes.answer(request) }
        for method in Self.methods where method != .get {
            router.on("/", method: method) { _, _ -> Response in throw Problem.methodNotAllowed([.get]) }
        }
        router.get("/**") { request, _ in try PageRoutes.answer(request) }
        for method in Self.methods {
            identified.on("/api/**", method: method) { _, _ -> Response in throw Problem.notFound }
        }
        return router
    }

    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete, .options]

    private func add(_ route: APIRoute, to group: any RouterMethods<APIContext>) {
        group.on(RouterPath(route.path), method: route.method) { [configuration] request, context in
            try await route.answer(APIRequest(request: request, context: context, configuration: configuration))
        }
    }

    /// A known path with another method is 405 and says which methods there are, instead of 404.
    private func refuseOtherMethods(open: Router<APIContext>, identified: RouterGroup<APIContext>) {
        for (path, known) in Dictionary(grouping: routes, by: \.path) {
            let allowed = known.map(\.method)
            let group: any RouterMethods<APIContext> = known[0].needsIdentity ? identified : open
            for method in Self.methods where !allowed.contains(method) {
                group.on(RouterPath(path), method: method) { _, _ -> Response in
                    throw Problem.methodNotAllowed(allowed)
                }
            }
        }
    }
}
